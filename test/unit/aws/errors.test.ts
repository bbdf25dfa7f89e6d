import { expect, test } from "vitest";
import { awsCodeKind, awsErrorKind, cancellationCodes, isDefinite, saysUnsold } from "../../../lib/aws/errors.ts";

/** Returns an error as the SDK throws it. */
const thrown = (name: string, status?: number, extra: object = {}): Error =>
  Object.assign(new Error(name), { name, ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }), ...extra });

test.each([
  ["InsufficientInstanceCapacity", "capacity"],
  ["UnfulfillableCapacity", "capacity"],
  ["InsufficientFreeAddressesInSubnet", "capacity"],
  ["SpotMaxPriceTooLow", "capacity"],
  ["Unsupported", "capacity"],
  ["VcpuLimitExceeded", "limit"],
  ["MaxSpotInstanceCountExceeded", "limit"],
  ["InstanceLimitExceeded", "limit"],
  ["RequestLimitExceeded", "throttled"],
  ["InvalidInstanceID.NotFound", "gone"],
  ["UnauthorizedOperation", "denied"],
  ["IdempotentParameterMismatch", "conflict"],
  ["ConditionalCheckFailedException", "condition"],
  ["NoSuchKey", "missing"],
  ["ParameterNotFound", "missing"],
  ["SomethingNew", "unknown"],
])("the error code %s is of the kind %s", (code, kind) => {
  expect(awsCodeKind(code)).toBe(kind);
  expect(awsErrorKind(thrown(code, 400))).toBe(kind);
});

test.each([
  ["Unsupported", "The requested configuration is currently not supported.", true],
  [
    "InvalidFleetConfiguration",
    "Your requested instance type (p3.8xlarge) is not supported in your requested Availability Zone (us-east-1f).",
    true,
  ],
  ["InvalidFleetConfig", "Invalid: Parameter: InstanceTypes. Unsupported instancetypes specified in the batch request", true],
  ["InvalidFleetConfiguration", "The subnet ID 'subnet-1' does not exist", false],
  ["InvalidParameterCombination", "Your requested instance type (x) is not supported in your requested Availability Zone (y).", false],
])("whether the error %s (%s) says that a type is not sold is %s", (code, message, says) => {
  expect(saysUnsold(code, message)).toBe(says);
});

test("an error that is not from AWS is unknown", () => {
  for (const odd of [undefined, null, "no", 7, {}, new Error("x"), thrown("TimeoutError")]) expect(awsErrorKind(odd)).toBe("unknown");
});

test("HTTP 429 is throttling, whatever the error's name", () => {
  expect(awsErrorKind(thrown("Odd", 429))).toBe("throttled");
});

/** Returns an error as the SDK throws it for a response without a body. */
const bodyless = (status: number): Error => thrown("Unknown", status);

test("a response without a body is classified by its status", () => {
  expect(awsErrorKind(bodyless(403))).toBe("denied");
  expect(awsErrorKind(bodyless(404))).toBe("missing");
  expect(awsErrorKind(bodyless(412))).toBe("condition");
  expect(awsErrorKind(bodyless(400))).toBe("unknown");
  expect(awsErrorKind(bodyless(503))).toBe("unknown");
});

test("AWS's code takes precedence over the status, except that an unknown code with 403 is a denial", () => {
  expect(awsErrorKind(thrown("SomethingNew", 404))).toBe("unknown");
  expect(awsErrorKind(thrown("SomethingNew", 412))).toBe("unknown");
  expect(awsErrorKind(thrown("OverLimit", 403))).toBe("throttled");
  expect(awsErrorKind(thrown("AllAccessDisabled", 403))).toBe("denied");
  expect(awsErrorKind(thrown("RequestTimeTooSkewed", 403))).toBe("unknown");
});

test("a cancelled transaction has the kind of its reason, and a failed condition takes precedence", () => {
  const cancelled = (...codes: string[]): Error =>
    thrown("TransactionCanceledException", 400, { CancellationReasons: codes.map((Code) => ({ Code })) });
  expect(awsErrorKind(cancelled("None", "TransactionConflict", "ConditionalCheckFailed"))).toBe("condition");
  expect(awsErrorKind(cancelled("None", "TransactionConflict"))).toBe("conflict");
  expect(awsErrorKind(cancelled("ThrottlingError", "None"))).toBe("throttled");
  expect(awsErrorKind(thrown("TransactionCanceledException", 400))).toBe("unknown");
  expect(cancellationCodes(cancelled("None", "TransactionConflict"))).toEqual(["None", "TransactionConflict"]);
});

test("only a refusal by AWS itself is definite", () => {
  expect(isDefinite(thrown("InvalidParameterValue", 400))).toBe(true);
  expect(isDefinite(thrown("UnauthorizedOperation", 403))).toBe(true);
  expect(isDefinite(thrown("RequestLimitExceeded", 400))).toBe(false);
  expect(isDefinite(thrown("RequestLimitExceeded", 503))).toBe(false);
  expect(isDefinite(thrown("InternalError", 500))).toBe(false);
  expect(isDefinite(thrown("TimeoutError"))).toBe(false);
  expect(isDefinite(new Error("socket hang up"))).toBe(false);
});
