import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogFile, logTo } from "../../../lib/local/run/log-line.ts";
import { createParts } from "../../../lib/local/run/parts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "log-file-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the local cloud's log contains an error's class, stack and cause, and none of its other fields", async () => {
  const path = join(folder, "cloud.log");
  const file = createLogFile(path);
  const parts = createParts(logTo(file));
  const error = Object.assign(new TypeError("x is undefined", { cause: new Error("inner") }), { secretAccessKey: "5ec7e7" });
  parts.log({ message: "instance failed", instance: "i-1", error });
  parts.add({ close: () => Promise.reject(error) });
  await parts.close();
  await file.close();
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { time: expect.any(String), message: "instance failed", instance: "i-1", error: { name: "TypeError", cause: { message: "inner" } } },
    { message: "part not closed", error: { stack: expect.stringMatching(/at .*log-file\.test\.ts/) } },
  ]);
  expect(lines.join()).not.toContain("5ec7e7");
});
