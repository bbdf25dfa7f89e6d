import { describe, expect, test } from "vitest";
import { attemptOfManifest, attemptToSeal, fileKey, Manifest, manifestKey, uploadPrefix } from "../../../events/artifacts/upload.ts";

const attempt = { team: "vision", job: "train-1.b_C", attempt: 12 };

test("the key of an attempt's manifest names the attempt", () => {
  expect(manifestKey(attempt)).toBe("vision/train-1.b_C/12/manifest.json");
  expect(attemptOfManifest(manifestKey(attempt))).toEqual(attempt);
});

test.each([
  fileKey(attempt, "manifest.json"),
  fileKey(attempt, "out/manifest.json"),
  "vision/train-1/0/manifest.json",
  "vision/train-1/01/manifest.json",
  "vision/train-1/1/manifest.json.tmp",
  "x/vision/train-1/1/manifest.json",
  "vision//1/manifest.json",
  "manifest.json",
  "",
])("%j is no manifest of an attempt", (key) => {
  expect(attemptOfManifest(key)).toBeUndefined();
});

test("what an attempt leaves lies in one folder", () => {
  expect(fileKey(attempt, "out/model.pt")).toBe(`${uploadPrefix(attempt)}files/out/model.pt`);
});

const created = (key: string, over: object = {}) => ({
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { bucket: { name: "incoming" }, object: { key } },
  ...over,
});

describe("the seal queue takes", () => {
  test("S3's word that a manifest is there", () => {
    expect(attemptToSeal(created(manifestKey(attempt)))).toEqual(attempt);
  });

  test("our own word to seal again", () => {
    expect(attemptToSeal({ seal: attempt })).toEqual(attempt);
  });

  test.each<[string, unknown]>([
    ["another file's creation", created(fileKey(attempt, "a"))],
    ["an object's end", created(manifestKey(attempt), { "detail-type": "Object Deleted" })],
    ["another service's event", created(manifestKey(attempt), { source: "aws.ec2" })],
    ["an attempt that is none", { seal: { ...attempt, attempt: 0 } }],
    ["more than was asked", { seal: attempt, and: "delete" }],
    ["nothing", undefined],
    ["a text", "seal"],
  ])("but not %s", (_what, message) => {
    expect(attemptToSeal(message)).toBeUndefined();
  });
});

describe("a manifest", () => {
  const file = { path: "out/model.pt", bytes: 3, sha256: "a".repeat(64), mode: 0o644 };
  const manifest = { version: 2, ...attempt, artifacts: [file], leftOut: [], missing: [] };

  test("lists files below the working directory", () => {
    expect(Manifest.parse(manifest)).toEqual(manifest);
  });

  test.each(["../x", "a/../x", "/x", "a//x", "./x", "a/.", "a\\x", "a\0", "a\ud800", ""])("does not list %j", (path) => {
    expect(Manifest.safeParse({ ...manifest, artifacts: [{ ...file, path }] }).success).toBe(false);
  });

  test.each<[string, object]>([
    ["of another version", { version: 3 }],
    ["with a size below nothing", { artifacts: [{ ...file, bytes: -1 }] }],
    ["with a checksum in capitals", { artifacts: [{ ...file, sha256: "A".repeat(64) }] }],
    ["with a team that climbs", { team: ".." }],
    ["with more than it should", { signature: "x" }],
  ])("%s is refused", (_what, over) => {
    expect(Manifest.safeParse({ ...manifest, ...over }).success).toBe(false);
  });
});
