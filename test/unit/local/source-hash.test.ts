import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashOfSources } from "../../../lib/local/template/source-hash.ts";

let root = "";
const at = (path: string): string => join(root, ...path.split("/"));
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  await writeFile(at(path), text);
}
const hash = (): Promise<string> => hashOfSources(root, at("own.config.ts"));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "source-hash-"));
  for (const path of ["cdk/app.ts", "events/job.ts", "functions/tick.ts", "lib/flows/deep/down.ts", "package-lock.json", "own.config.ts"])
    await write(path, "1");
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("the hash of the same sources is the same 16 digits", async () => {
  expect(await hash()).toMatch(/^[0-9a-f]{16}$/);
  expect(await hash()).toBe(await hash());
});

test.each(["cdk/app.ts", "events/job.ts", "functions/tick.ts", "lib/flows/deep/down.ts", "package-lock.json", "own.config.ts"])(
  "the hash changes with %s",
  async (path) => {
    const before = await hash();
    await write(path, "2");
    expect(await hash()).not.toBe(before);
  },
);

test("the hash changes if a source is added or gets another name", async () => {
  const seen = [await hash()];
  await rename(at("events/job.ts"), at("events/task.ts"));
  seen.push(await hash());
  await write("lib/cliff.ts", "1");
  seen.push(await hash());
  expect(new Set(seen).size).toBe(3);
});

test("the hash ignores what is no part of the stack, and where the folder and the configuration are", async () => {
  const before = await hash();
  for (const path of ["lib/local/cloud.ts", "lib/cli/main.ts", "lib/sim/world.ts", "docs/jobs.md", "test/a.test.ts"])
    await write(path, "1");
  expect(await hash()).toBe(before);
  await rename(at("own.config.ts"), at("other.config.ts"));
  const moved = `${root}-moved`;
  await rename(root, moved);
  root = moved;
  expect(await hashOfSources(root, at("other.config.ts"))).toBe(before);
});
