import { codeless } from "../../events/s3-refusal.ts";

/**
 * The one place that knows what AWS calls its errors.
 *
 * - `capacity`: AWS has none of it at this moment; another offer, or a later try, may do.
 * - `limit`: a quota of the account or the region; only time or the admin changes it.
 * - `throttled`: asked too fast; the same call may succeed in a moment.
 * - `gone`: the instance existed once or never; EC2 does not know it (any more).
 * - `denied`: not allowed; asking again changes nothing.
 * - `conflict`: collides with another call (the same token with other parameters, two writers at once).
 * - `condition`: a conditional write whose condition did not hold.
 * - `missing`: the thing that was named (object, queue, key, parameter, stream) is not there.
 * - `unknown`: everything else, time-outs and lost answers included: the call may or may not have taken effect.
 */
export type AwsErrorKind = "capacity" | "limit" | "throttled" | "gone" | "denied" | "conflict" | "condition" | "missing" | "unknown";

const names: Readonly<Record<Exclude<AwsErrorKind, "unknown">, readonly string[]>> = {
  capacity: [
    "InsufficientInstanceCapacity",
    "InsufficientCapacity",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "ReservationCapacityExceeded",
    "InsufficientFreeAddressesInSubnet",
    "UnfulfillableCapacity",
    "SpotMaxPriceTooLow",
    // The type is not offered in that zone, or not as spot: for us the same as none left there.
    "Unsupported",
  ],
  limit: [
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "MaxSpotFleetRequestCountExceeded",
    "FleetLimitExceeded",
    "VolumeLimitExceeded",
    "NetworkInterfaceLimitExceeded",
    "AddressLimitExceeded",
    "LimitExceededException",
    "ServiceQuotaExceededException",
    "PendingVerification",
  ],
  throttled: [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestThrottled",
    "RequestThrottledException",
    "EC2ThrottledException",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "KMSThrottlingException",
    "OverLimit",
  ],
  gone: ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed", "InvalidInstanceId.NotFound"],
  denied: [
    "UnauthorizedOperation",
    "AccessDenied",
    "AccessDeniedException",
    // CreateFleet's, when its caller may not read the parameter that names the image.
    "SsmAccessDenied",
    "AuthFailure",
    "AuthorizationError",
    "OptInRequired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "Forbidden",
  ],
  conflict: [
    "IdempotentParameterMismatch",
    "IdempotentParameterMismatchException",
    "IdempotencyException",
    "ConditionalRequestConflict",
    "OperationAborted",
    "TransactionConflictException",
    "TransactionConflict",
    "TransactionInProgressException",
    "ConflictException",
    "ResourceInUseException",
  ],
  condition: ["ConditionalCheckFailedException", "ConditionalCheckFailed", "PreconditionFailed"],
  missing: [
    "NoSuchKey",
    "NoSuchBucket",
    "NoSuchVersion",
    "NoSuchUpload",
    "NotFound",
    "NotFoundException",
    "ParameterNotFound",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ResourceNotFoundException",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
  ],
};

const kinds: ReadonlyMap<string, AwsErrorKind> = new Map(
  Object.entries(names).flatMap(([kind, all]) => all.map((name) => [name, kind as AwsErrorKind])),
);

/** What an error code means, wherever it stands: thrown by the SDK, or an item of CreateFleet's answer. */
export const awsCodeKind = (code: string): AwsErrorKind => kinds.get(code) ?? "unknown";

/** Whether a `limit` is on the vCPUs of running instances, which EC2 counts by family and market. */
export const isVcpuQuota = (code: string): boolean =>
  ["VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded"].includes(code);

/**
 * Whether EC2 says with an error that a type is not sold in a zone or a market. `Unsupported` is RunInstances' code for it;
 * CreateFleet's is `InvalidFleetConfiguration`, which is also the code of a request that is wrong, so its words decide: "Your
 * requested instance type (p3.8xlarge) is not supported in your requested Availability Zone (us-east-1f)." A code that is only
 * about the request, such as InvalidParameterCombination (an image of another architecture), is never read like this.
 */
export const saysUnsold = (code: string, message: string): boolean =>
  code === "Unsupported" || (unsoldCodes.has(code) && unsoldWords.test(message));

const unsoldCodes: ReadonlySet<string> = new Set([
  "InvalidFleetConfiguration",
  "InvalidFleetConfig",
  "UnsupportedOperation",
  "InvalidInput",
]);
const unsoldWords =
  /instance type\b.*\bnot (supported|offered|available) (in|as|for)\b.*\b(availability zone|region|spot)|unsupported instance ?types/is;

/** What an error that a call of the SDK threw means. */
export const awsErrorKind = (error: unknown): AwsErrorKind => {
  const known = awsCodeKind(awsErrorCode(error));
  if (known !== "unknown") return known;
  if (awsErrorCode(error) === "TransactionCanceledException") return cancellationKind(cancellationCodes(error));
  return kindOfStatus(error);
};

/**
 * What the status of an answer says whose code is not listed above. A HEAD's answer has no body and so no code at all: S3's 403
 * for an object that is not there, from a caller without s3:ListBucket, is such a one. A code that AWS did send is better than
 * 404 and 412, which other services use for other things.
 */
function kindOfStatus(error: unknown): AwsErrorKind {
  const status = httpStatus(error);
  const code = awsErrorCode(error);
  if (status === 429) return "throttled";
  // The only 403 that is about the moment, and not about a right.
  if (status === 401 || status === 403) return code === "RequestTimeTooSkewed" ? "unknown" : "denied";
  if (!codeless.has(code)) return "unknown";
  if (status === 404) return "missing";
  return status === 412 ? "condition" : "unknown";
}

/**
 * Why DynamoDB cancelled a transaction, one code an item in its order ("None" where the item was not the reason).
 * Empty for any other error.
 */
export const cancellationCodes = (error: unknown): readonly string[] => {
  if (!(error instanceof Error) || !("CancellationReasons" in error) || !Array.isArray(error.CancellationReasons)) return [];
  return error.CancellationReasons.map((reason: { Code?: unknown } | null) => (typeof reason?.Code === "string" ? reason.Code : "None"));
};

/** A condition that failed is the answer, whatever else was in the way: trying again would find it failed too. */
function cancellationKind(codes: readonly string[]): AwsErrorKind {
  const found = new Set(codes.map(awsCodeKind));
  return (["condition", "conflict", "throttled"] as const).find((kind) => found.has(kind)) ?? "unknown";
}

/** AWS's name for an error that was thrown; "Error" or the like for one that is not AWS's. */
export const awsErrorCode = (error: unknown): string => (error instanceof Error ? error.name : "unknown");

/**
 * Whether AWS itself has answered and said no, so that the call surely had no effect: a client error that is not throttling.
 * False for time-outs, lost answers and server errors.
 */
export const isDefinite = (error: unknown): boolean => {
  const status = httpStatus(error);
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && awsErrorKind(error) !== "throttled";
};

function httpStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
