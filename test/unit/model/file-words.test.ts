import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { explain, whatWentWrong } from "../../../lib/cli/invocation/exit.ts";
import { fileWords, meaningOf } from "../../../lib/model/files/file-words.ts";

const folder = mkdtempSync(join(tmpdir(), "file-words-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "plain"), "");
symlinkSync("loop", join(folder, "loop"));

const reading = (name: string): Promise<unknown> => readFile(join(folder, name)).catch((error: unknown) => error);

test.each([
  ["nowhere", /nowhere is not there$/],
  ["plain/below", /plain\/below is below something that is a file, not a folder$/],
  ["loop", /loop is a link that leads back to itself$/],
  ["x".repeat(300), /has a name that is too long$/],
  [".", /^a file is a folder, and a file is expected$/],
])("the operating system's error for %s is explained in words", async (name, words) => {
  const error = await reading(name);
  expect(fileWords(error)).toMatch(words);
  expect(whatWentWrong(error)).toMatch(words);
  const lines: string[] = [];
  expect(explain(error, (line) => lines.push(line))).toBe(1);
  expect(lines).toEqual([expect.stringMatching(/^fleet: .*[^)]$/)]);
  // The folder's random name may look like an error code.
  expect(lines.join().replaceAll(folder, "")).not.toMatch(/E[A-Z]{3,}|errno|syscall/);
});

test("every common error code of files has a meaning", () => {
  for (const code of ["EACCES", "EPERM", "EROFS", "ENOSPC", "EISDIR", "ENOTDIR", "ENOENT", "EMFILE"])
    expect(meaningOf(code), code).toBeDefined();
});

test("an error that is not from the file system has no file words", () => {
  expect(fileWords(new Error("no"))).toBeUndefined();
  expect(fileWords(Object.assign(new Error("no"), { code: "ECONNREFUSED", syscall: "connect" }))).toBeUndefined();
  expect(fileWords("ENOENT")).toBeUndefined();
});
