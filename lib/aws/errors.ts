import { codeless } from "../../events/s3-refusal.ts";

/**
 * The kinds of errors. This file is the only place that knows AWS's names for them.
 *
 * - `capacity`: AWS has no capacity at the moment; another offer or a later try may succeed.
 * - `limit`: a quota of the account or the region was reached; only time or the admin changes that.
 * - `throttled`: calls were too fast; the same call may succeed in a moment.
 * - `gone`: EC2 does not know the instance (any more).
 * - `denied`: the call is not allowed; repeating it changes nothing.
 * - `conflict`: the call collides with another one (the same token with other parameters, two writers at once).
 * - `condition`: the condition of a conditional write did not hold.
 * - `missing`: the named object, queue, key, parameter or stream does not exist.
 * - `unknown`: everything else, including timeouts and lost responses; the call may or may not have taken effect.
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
    // The type is not offered in that zone, or not as spot, which has the same effect as no capacity there.
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
    // CreateFleet returns it if its caller may not read the parameter that names the image.
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
    "InvalidAMIID.NotFound",
    "InvalidAMIID.Unavailable",
    "NoSuchEntity",
    "NoSuchEntityException",
    "NoSuchResourceException",
  ],
};

const kinds: ReadonlyMap<string, AwsErrorKind> = new Map(
  Object.entries(names).flatMap(([kind, all]) => all.map((name) => [name, kind as AwsErrorKind])),
);

/** Returns the kind of an error code, whether the SDK threw it or CreateFleet's response contains it. */
export const awsCodeKind = (code: string): AwsErrorKind => kinds.get(code) ?? "unknown";

/** Returns whether a `limit` is a quota on the vCPUs of running instances, which EC2 counts by family and market. */
export const isVcpuQuota = (code: string): boolean =>
  ["VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded"].includes(code);

/**
 * Returns whether an error says that a type is not sold in a zone or a market. RunInstances' code for that is `Unsupported`.
 * CreateFleet's is `InvalidFleetConfiguration`, which is also the code of a wrong request, so the message decides: "Your
 * requested instance type (p3.8xlarge) is not supported in your requested Availability Zone (us-east-1f)." Codes that are only
 * about the request, such as InvalidParameterCombination (an image of another architecture), never count.
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

/** Returns the kind of an error that a call of the SDK threw. */
export const awsErrorKind = (error: unknown): AwsErrorKind => {
  const known = awsCodeKind(awsErrorCode(error));
  if (known !== "unknown") return known;
  if (awsErrorCode(error) === "TransactionCanceledException") return cancellationKind(cancellationCodes(error));
  return kindOfStatus(error);
};

/**
 * Returns the kind of an error by its HTTP status, if its code is not listed above. Responses to HEAD have no body and so no
 * code, for example S3's 403 for a missing object if the caller lacks s3:ListBucket. 404 and 412 count only without a code,
 * because other services use them for other things.
 */
function kindOfStatus(error: unknown): AwsErrorKind {
  const status = httpStatus(error);
  const code = awsErrorCode(error);
  if (status === 429) return "throttled";
  // The only 403 that is temporary and not about a permission.
  if (status === 401 || status === 403) return code === "RequestTimeTooSkewed" ? "unknown" : "denied";
  if (!codeless.has(code)) return "unknown";
  if (status === 404) return "missing";
  return status === 412 ? "condition" : "unknown";
}

/**
 * Returns why DynamoDB cancelled a transaction: one code per item, in its order, "None" if the item was not the reason.
 * Returns an empty list for any other error.
 */
export const cancellationCodes = (error: unknown): readonly string[] => {
  if (!(error instanceof Error) || !("CancellationReasons" in error) || !Array.isArray(error.CancellationReasons)) return [];
  return error.CancellationReasons.map((reason: { Code?: unknown } | null) => (typeof reason?.Code === "string" ? reason.Code : "None"));
};

/** Returns the kind of a cancelled transaction. A failed condition takes precedence, because it would fail again on a retry. */
function cancellationKind(codes: readonly string[]): AwsErrorKind {
  const found = new Set(codes.map(awsCodeKind));
  return (["condition", "conflict", "throttled"] as const).find((kind) => found.has(kind)) ?? "unknown";
}

/** Returns AWS's code of a thrown error, or a name such as "Error" if the error is not from AWS. */
export const awsErrorCode = (error: unknown): string => (error instanceof Error ? error.name : "unknown");

/**
 * Returns whether AWS itself refused the call, which then certainly had no effect: a client error other than throttling.
 * Returns false for timeouts, lost responses and server errors.
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
