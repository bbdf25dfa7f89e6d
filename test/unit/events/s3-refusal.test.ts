import { describe, expect, it } from "vitest";
import { mayPass, s3Refusal, whyUnreadable } from "../../../events/s3-refusal.ts";

/** An error as the SDK throws it. */
const thrown = (name: string, httpStatusCode?: number, extra: object = {}): Error =>
  Object.assign(new Error(name === "Unknown" ? "UnknownError" : "words of S3"), { name, $metadata: { httpStatusCode }, ...extra });

const notAuthorized = (action: string) => ({
  message: `User: arn:aws:sts::1:assumed-role/job/a is not authorized to perform: ${action} on resource: "arn:aws:s3:::data" because no identity-based policy allows the ${action} action`,
});

describe("refusals of S3", () => {
  it.each([
    ["a missing key", thrown("NoSuchKey", 404), "no-object"],
    ["a missing key, by HEAD", thrown("NotFound", 404), "no-object"],
    ["a missing bucket", thrown("NoSuchBucket", 404), "no-bucket"],
    ["a denial without a body, as a HEAD's is", thrown("Unknown", 403), "denied"],
    ["a denial", thrown("AccessDenied", 403, { message: "Access Denied" }), "denied"],
    [
      "a missing key, named in words to a caller that may not list",
      thrown("AccessDenied", 403, notAuthorized("s3:ListBucket")),
      "no-object",
    ],
    ["a denial of the object itself", thrown("AccessDenied", 403, notAuthorized("s3:GetObject")), "denied"],
    ["a denial of the key", thrown("AccessDenied", 403, notAuthorized("kms:Decrypt")), "key-denied"],
    ["an object that was replaced", thrown("PreconditionFailed", 412), "changed"],
    ["an object that was replaced, without a body", thrown("Unknown", 412), "changed"],
    ["an archived object", thrown("InvalidObjectState", 403, { StorageClass: "GLACIER" }), "archived"],
    ["a disabled key", thrown("KMS.DisabledException", 400), "key-unusable"],
    ["a key that waits for its deletion", thrown("KMS.KMSInvalidStateException", 400), "key-unusable"],
    ["a deleted key", thrown("KMS.NotFoundException", 400), "key-unusable"],
    [
      "a customer's own key",
      thrown("InvalidRequest", 400, {
        message:
          "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
      }),
      "customer-key",
    ],
    ["another invalid request", thrown("InvalidRequest", 400, { message: "Missing required header" }), "refused"],
    ["a bucket in another region", thrown("PermanentRedirect", 301), "elsewhere"],
    ["a bucket in another region, without a body", thrown("Unknown", 301), "elsewhere"],
    [
      "a signature for another region",
      thrown("AuthorizationHeaderMalformed", 400, { message: "the region 'us-east-1' is wrong; expecting 'eu-west-1'" }),
      "elsewhere",
    ],
    ["a bad request without a body", thrown("Unknown", 400), "refused"],
  ] as const)("%s is the refusal %s, and the call is not repeated", (_what, error, kind) => {
    const refusal = s3Refusal(error);
    expect(refusal.kind).toBe(kind);
    expect(mayPass(refusal)).toBe(false);
    expect(whyUnreadable(refusal)).not.toMatch(/UnknownError|^Unknown/);
  });

  it.each([
    ["no response", new Error("socket hang up")],
    ["a time-out", Object.assign(new Error("late"), { name: "TimeoutError" })],
    ["an error of S3 itself", thrown("InternalError", 500)],
    ["a response without a body", thrown("Unknown", 503)],
    ["a request to slow down", thrown("SlowDown", 503)],
    ["a body that was sent too slowly", thrown("RequestTimeout", 400)],
    ["expired credentials, which are renewed", thrown("ExpiredToken", 400)],
    ["a clock that is corrected", thrown("RequestTimeTooSkewed", 403)],
    ["a key that KMS cannot reach at the moment", thrown("KMS.KeyUnavailableException", 500)],
    ["a thrown value that is not an error", "odd"],
  ])("%s is a refusal that may pass", (_what, error) => {
    expect(mayPass(s3Refusal(error))).toBe(true);
  });

  it("a refusal quotes S3 if the cause is unclear, and names the storage class of an archived object", () => {
    expect(whyUnreadable(s3Refusal(thrown("AccessDenied", 403, { message: "Access Denied" })))).toMatch(
      /requester pay \(S3 said AccessDenied: Access Denied\)$/,
    );
    expect(s3Refusal(thrown("InvalidObjectState", 403, { StorageClass: "DEEP_ARCHIVE" })).message).toMatch(/\(DEEP_ARCHIVE\)$/);
  });
});
