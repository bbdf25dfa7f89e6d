import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findExecutable } from "../../../lib/worker/program/executable.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-executable-"));
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin", "train"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(folder, "train.sh"), "#!/bin/sh\n", { mode: 0o644 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const find = (command: string) => findExecutable(command, { folder, path: `/nowhere:${join(folder, "bin")}` });

test("a bare name is looked up on the search path, and any other in the folder", async () => {
  expect(await find("train")).toEqual({ kind: "found", file: join(folder, "bin", "train") });
  expect(await find("./bin/train")).toEqual({ kind: "found", file: join(folder, "bin", "train") });
});

test("a command that is missing or not executable has a shell's exit codes", async () => {
  expect(await find("pyhton")).toMatchObject({ exitCode: 127, reason: 'command not found: there is no "pyhton" on this node\'s PATH' });
  expect(await find("./go.sh")).toMatchObject({ exitCode: 127 });
  expect(await find("./train.sh")).toMatchObject({ exitCode: 126, reason: '"./train.sh" is not executable' });
  expect(await find("./bin")).toMatchObject({ exitCode: 127 });
  expect(await find("")).toMatchObject({ exitCode: 127 });
});
