import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { checking, Mismatch } from "../../../lib/aws/objects/plaintext-check.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const pass = async (chunks: readonly string[], expected: { bytes: number; sha256: string }): Promise<string> => {
  const check = checking(expected);
  const [read] = await Promise.all([buffer(check), pipeline(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), check)]);
  return read.toString();
};

test("the plaintext check passes the expected bytes on, whatever their chunks", async () => {
  expect(await pass(["he", "", "llo"], { bytes: 5, sha256: hash("hello") })).toBe("hello");
  expect(await pass([], { bytes: 0, sha256: hash("") })).toBe("");
});

test("the plaintext check fails if the bytes are fewer, more or different", async () => {
  await expect(pass(["hell"], { bytes: 5, sha256: hash("hello") })).rejects.toBeInstanceOf(Mismatch);
  await expect(pass(["hello", "!"], { bytes: 5, sha256: hash("hello") })).rejects.toBeInstanceOf(Mismatch);
  await expect(pass(["jello"], { bytes: 5, sha256: hash("hello") })).rejects.toBeInstanceOf(Mismatch);
});
