import { describe, expect, it } from "vitest";
import { listSource } from "../../../lib/aws/datasets/source-listing.ts";
import { maxShards } from "../../../lib/model/dataset.ts";

const source = { bucket: "data", prefix: "set/" };

/** A fake S3 that returns these pages or throws. */
const s3 = (...pages: readonly (object | Error)[]) => {
  const requests: unknown[] = [];
  const send = async (command: { input: unknown }) => {
    requests.push(command.input);
    const page = pages[requests.length - 1];
    if (page instanceof Error) throw page;
    return page ?? {};
  };
  return { send: send as never, requests };
};
const object = (key: string, more: object = {}) => ({ Key: `set/${key}`, Size: 1, ETag: '"e"', ...more });
const thrown = (name: string, status: number, message = "words") =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

describe("a listing", () => {
  it("a listing skips archived objects, but not restored ones and not classes that can be read at once", async () => {
    const fake = s3({
      Contents: [
        object("deep", { StorageClass: "DEEP_ARCHIVE" }),
        object("ia", { StorageClass: "STANDARD_IA" }),
        object("instant", { StorageClass: "GLACIER_IR" }),
        object("old", { StorageClass: "GLACIER" }),
        object("restored", { StorageClass: "GLACIER", RestoreStatus: { IsRestoreInProgress: false, RestoreExpiryDate: new Date() } }),
        object("thawing", { StorageClass: "GLACIER", RestoreStatus: { IsRestoreInProgress: true } }),
      ],
    });
    const listed = await listSource(fake, source);
    expect(listed).toMatchObject({ kind: "listed", skipped: { objects: 3 } });
    expect(listed.kind === "listed" && listed.shards.map(({ key }) => key)).toEqual(["set/ia", "set/instant", "set/restored"]);
    expect(fake.requests).toMatchObject([{ OptionalObjectAttributes: ["RestoreStatus"] }]);
  });

  it.each([
    ["of a bucket that does not exist", thrown("NoSuchBucket", 404), /^there is no bucket data$/],
    ["that is denied", thrown("AccessDenied", 403), /may not list s3:\/\/data\/set\/: the bucket's own policy/],
    [
      "that is denied in full words",
      thrown("AccessDenied", 403, "User: x is not authorized to perform: s3:ListBucket on resource: y"),
      /may not list s3:\/\/data\/set\//,
    ],
    ["that is denied without a body", thrown("Unknown", 403), /may not list s3:\/\/data\/set\//],
    ["of a bucket in another region", thrown("PermanentRedirect", 301), /cannot be listed: its bucket is in another region$/],
  ])("a listing %s returns a message for the team", async (_what, error, trouble) => {
    expect(await listSource(s3(error), source)).toEqual({ kind: "trouble", reason: expect.stringMatching(trouble) });
  });

  it("a source with more objects than a dataset may have is refused, and the rest of it is not listed", async () => {
    const page = (n: number) => ({
      Contents: Array.from({ length: 1_000 }, (_, k) => object(`${n}-${k}`)),
      NextContinuationToken: `page-${n}`,
    });
    const pages = Array.from({ length: 102 }, (_, n) => page(n));
    const most = s3(...pages.slice(0, 99), { Contents: page(99).Contents });
    expect(await listSource(most, source)).toMatchObject({ kind: "listed", shards: { length: maxShards } });
    const more = s3(...pages);
    expect(await listSource(more, source)).toEqual({
      kind: "trouble",
      reason: "there are more than 100000 objects below s3://data/set/; pack them into fewer, larger ones",
    });
    expect(more.requests).toHaveLength(101);
  });

  it("a listing that fails with a server error throws a fault with retry", async () => {
    await expect(listSource(s3(thrown("InternalError", 500)), source)).rejects.toMatchObject({ code: "source", retry: true });
  });
});
