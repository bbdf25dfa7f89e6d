import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { openObject } from "../../../lib/aws/objects/objects.ts";

const object = { Bucket: "artifacts", Key: "vision/a/1/manifest.json.sealed" };

/** An S3 that refuses each call with that status, and names the error so. */
const refusing = (status: number, name: string) => ({
  send: () => Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })),
});

describe("an object that S3 does not give", () => {
  test.each([
    [404, "NoSuchKey"],
    [404, "UnknownError"],
  ])("with %i %s is absent for everybody", async (status, name) => {
    expect(await openObject(refusing(status, name), object)).toBeUndefined();
    expect(await openObject(refusing(status, name), object, { ifDenied: "absent" })).toBeUndefined();
  });

  test.each([
    [403, "AccessDenied"],
    [403, "Forbidden"],
    [403, "UnknownError"],
  ])("with %i %s is absent for a caller who may not list the bucket, and refused to any other", async (status, name) => {
    await expect(openObject(refusing(status, name), object)).rejects.toThrow(/access was denied/);
    expect(await openObject(refusing(status, name), object, { ifDenied: "absent" })).toBeUndefined();
  });

  test.each([
    [403, "InvalidAccessKeyId"],
    [403, "SignatureDoesNotMatch"],
    [400, "ExpiredToken"],
    [503, "SlowDown"],
  ])("with %i %s is not absent: S3 has not looked for it", async (status, name) => {
    await expect(openObject(refusing(status, name), object, { ifDenied: "absent" })).rejects.toThrow(name);
  });

  test("is given with its size when it is there", async () => {
    const s3 = { send: async () => ({ Body: Readable.from(["abc"]), ContentLength: 3 }) };
    expect(await openObject(s3, object)).toMatchObject({ bytes: 3 });
  });
});
