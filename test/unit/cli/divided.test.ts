import { expect, test } from "vitest";
import { divided } from "../../../lib/cli/program/submit.ts";

const argv = (...args: string[]) => ["node", "fleet", "submit", ...args];

test.each([
  ["only files", ["a.json", "b.json"], argv("a.json", "b.json"), { files: ["a.json", "b.json"], program: undefined }],
  ["only a command", ["nvidia-smi", "-L"], argv("--gpus", "2", "--", "nvidia-smi", "-L"), { files: [], program: ["nvidia-smi", "-L"] }],
  ["files before -- and a command after it", ["a.json", "true"], argv("a.json", "--", "true"), { files: ["a.json"], program: ["true"] }],
  ["a command that contains --", ["sh", "--", "x"], argv("--", "sh", "--", "x"), { files: [], program: ["sh", "--", "x"] }],
  ["an option whose value is --", ["a.json"], argv("--reason", "--", "a.json", "--wait"), { files: ["a.json"], program: undefined }],
  ["nothing after --", [], argv("--"), { files: [], program: [] }],
])("the operands of submit are split at --: %s", (_what, operands, args, expected) => {
  expect(divided(operands, args)).toEqual(expected);
});
