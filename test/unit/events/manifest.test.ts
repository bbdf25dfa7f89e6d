import { describe, expect, test } from "vitest";
import { readManifest } from "../../../events/artifacts/manifest.ts";

const attempt = { team: "vision", job: "train-1", attempt: 2 };
const file = { path: "out/model.pt", bytes: 7, sha256: "a".repeat(64), mode: 0o644 };
const manifest = (over: object): string => JSON.stringify({ version: 2, ...attempt, artifacts: [file], leftOut: [], missing: [], ...over });

describe("manifests", () => {
  test("a manifest is read as it was written", () => {
    const more = {
      leftOut: [{ path: "out/s", because: "it is a socket" }],
      leftOutMore: 2,
      missing: ["ckpt/*.pt"],
      failed: 'there is no "x"',
    };
    expect(readManifest(attempt, manifest(more))).toEqual({ artifacts: [file], ...more, refused: [] });
  });

  test.each([
    ["a backslash", "out/logs\\events.txt"],
    ["a step upwards", "../secrets"],
    ["half a character", "out/\ud800"],
    ["nothing between two slashes", "out//model.pt"],
  ])("a file whose name has %s is refused by name, and the other files of its manifest are kept", (_what, path) => {
    const read = readManifest(attempt, manifest({ artifacts: [{ ...file, path }, file] }));
    expect(read.artifacts).toEqual([file]);
    expect(read.refused).toEqual([{ path, because: "it is not named or described as a file that can be kept" }]);
  });

  test("the first of two files with the same path is kept", () => {
    const read = readManifest(attempt, manifest({ artifacts: [file, { ...file, bytes: 8 }] }));
    expect(read).toMatchObject({ artifacts: [file], refused: [{ path: file.path, because: "another file has the same path" }] });
  });

  test("a manifest counts the left-out entries that it does not list, and those that are malformed", () => {
    const leftOut = [{ path: "a", because: "it is a socket" }, { path: "b" }, ...Array(1_000).fill({ path: "c", because: "too many" })];
    const read = readManifest(attempt, manifest({ leftOut, leftOutMore: 5 }));
    expect(read.leftOut.length + (read.leftOutMore ?? 0)).toBe(1_007);
    expect(read.leftOut.length).toBeLessThanOrEqual(1_000);
  });

  test.each([
    ["is not JSON", "{", /it is not JSON$/],
    ["has another form", manifest({ version: 9 }), /it does not have the form of a manifest$/],
    [
      "is another attempt's",
      manifest({ attempt: 3 }),
      /it is the list of vision\/train-1\/3, but was uploaded as that of vision\/train-1\/2$/,
    ],
  ])("a manifest that %s is refused in words", (_what, text, words) => {
    expect(() => readManifest(attempt, text)).toThrow(words);
  });
});
