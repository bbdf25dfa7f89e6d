import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { sealingStage } from "../sealing-stage.ts";
import { anAttempt, upload } from "../suites/artifacts.ts";

const { overTheWire, open } = sealingStage();
beforeAll(open);

test("an artifact of 64 MiB is sealed and opened in bounded memory", async () => {
  const stage = overTheWire();
  const attempt = anAttempt();
  const folder = await mkdtemp(join(tmpdir(), "large-"));
  const size = 64 * 1024 * 1024;
  const file = await upload(stage, attempt, "large.bin", randomBytes(size));
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  try {
    const outcome = await stage.artifacts.seal(attempt, file);
    if (outcome.kind !== "sealed") throw new Error(outcome.kind);
    await stage.reader.open(attempt, outcome.artifact, join(folder, "large.bin"));
  } finally {
    clearInterval(watch);
    await rm(folder, { recursive: true });
  }
  // Two parts of 8 MiB in flight, frames, and garbage that is not collected yet.
  expect(most - before).toBeLessThan(size * 1.5);
});
