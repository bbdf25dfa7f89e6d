import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { openObject } from "../../../lib/aws/objects/objects.ts";

const object = { Bucket: "artifacts", Key: "vision/a/1/manifest.json.sealed" };

/** A fake S3 that refuses each call with this status and error name. */
const refusing = (status: number, name: string) => ({
  send: () => Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })),
});

describe("an object that S3 does not give", () => {
  test.each([
    [404, "NoSuchKey"],
    [404, "UnknownError"],
  ])("an object that S3 refuses with %i %s does not exist", async (status, name) => {
    expect(await openObject(refusing(status, name), object)).toBeUndefined();
    expect(await openObject(refusing(status, name), object, { ifDenied: "absent" })).toBeUndefined();
  });

  test.each([
    [403, "AccessDenied"],
    [403, "Forbidden"],
    [403, "UnknownError"],
  ])(
    "an object that S3 refuses with %i %s is missing if the caller may not list the bucket, and denied otherwise",
    async (status, name) => {
      await expect(openObject(refusing(status, name), object)).rejects.toThrow(/access was denied/);
      expect(await openObject(refusing(status, name), object, { ifDenied: "absent" })).toBeUndefined();
    },
  );

  test.each([
    [403, "InvalidAccessKeyId"],
    [403, "SignatureDoesNotMatch"],
    [400, "ExpiredToken"],
    [503, "SlowDown"],
  ])("opening an object that S3 refuses with %i %s throws, because it may exist", async (status, name) => {
    await expect(openObject(refusing(status, name), object, { ifDenied: "absent" })).rejects.toThrow(name);
  });

  test("opening an existing object returns its size", async () => {
    const s3 = { send: async () => ({ Body: Readable.from(["abc"]), ContentLength: 3 }) };
    expect(await openObject(s3, object)).toMatchObject({ bytes: 3 });
  });
});
