import { describe, expect, test } from "vitest";
import { attemptOfManifest, attemptToSeal, fileKey, Manifest, manifestKey, uploadPrefix } from "../../../events/artifacts/upload.ts";

const attempt = { team: "vision", job: "train-1.b_C", attempt: 12 };

test("the key of a manifest names its attempt", () => {
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
])("the key %j is not that of an attempt's manifest", (key) => {
  expect(attemptOfManifest(key)).toBeUndefined();
});

test("the files of an attempt are below one prefix", () => {
  expect(fileKey(attempt, "out/model.pt")).toBe(`${uploadPrefix(attempt)}files/out/model.pt`);
});

const created = (key: string, over: object = {}) => ({
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { bucket: { name: "incoming" }, object: { key } },
  ...over,
});

describe("messages of the seal queue", () => {
  test("S3's event about a manifest asks for its attempt to be sealed", () => {
    expect(attemptToSeal(created(manifestKey(attempt)))).toEqual(attempt);
  });

  test("Fleetwright's own message asks for an attempt to be sealed again", () => {
    expect(attemptToSeal({ seal: attempt })).toEqual(attempt);
  });

  test.each<[string, unknown]>([
    ["the creation of another file", created(fileKey(attempt, "a"))],
    ["the deletion of an object", created(manifestKey(attempt), { "detail-type": "Object Deleted" })],
    ["an event of another service", created(manifestKey(attempt), { source: "aws.ec2" })],
    ["a message with an invalid attempt", { seal: { ...attempt, attempt: 0 } }],
    ["a message with an unknown field", { seal: attempt, and: "delete" }],
    ["nothing", undefined],
    ["a text", "seal"],
  ])("%s does not ask for an attempt to be sealed", (_what, message) => {
    expect(attemptToSeal(message)).toBeUndefined();
  });
});

describe("a manifest's schema", () => {
  const file = { path: "out/model.pt", bytes: 3, sha256: "a".repeat(64), mode: 0o644 };
  const manifest = { version: 2, ...attempt, artifacts: [file], leftOut: [], missing: [] };

  test("a manifest lists files below the working directory", () => {
    expect(Manifest.parse(manifest)).toEqual(manifest);
  });

  test.each(["../x", "a/../x", "/x", "a//x", "./x", "a/.", "a\\x", "a\0", "a\ud800", ""])(
    "a manifest that lists the path %j is refused",
    (path) => {
      expect(Manifest.safeParse({ ...manifest, artifacts: [{ ...file, path }] }).success).toBe(false);
    },
  );

  test.each<[string, object]>([
    ["of another version", { version: 3 }],
    ["with a negative size", { artifacts: [{ ...file, bytes: -1 }] }],
    ["with a checksum in capitals", { artifacts: [{ ...file, sha256: "A".repeat(64) }] }],
    ["with a team that is a path upwards", { team: ".." }],
    ["with an unknown field", { signature: "x" }],
  ])("a manifest %s is refused", (_what, over) => {
    expect(Manifest.safeParse({ ...manifest, ...over }).success).toBe(false);
  });
});
