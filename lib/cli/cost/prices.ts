/**
 * List prices of us-east-1 in USD, without free tiers: https://aws.amazon.com/pricing, November 2026, on the pages of each service. Other
 * regions cost up to a third more.
 */
export const prices = {
  /** Per metric of an alarm at standard resolution, and month. */
  alarm: 0.1,
  dashboard: 3,
  /** Per month, until the first yearly rotation. The first two rotations add a dollar a month each. */
  key: 1,
  /** Per request of SQS, for up to 64 KB. */
  sqs: 0.4e-6,
  sqsFifo: 0.5e-6,
  /** Per invocation by EventBridge Scheduler. */
  schedule: 1e-6,
  /** Per run of a function. */
  lambda: 0.2e-6,
  /** Per GiB and second of a function, on arm64. */
  lambdaTime: 0.0000133334,
  /** Per read request unit of DynamoDB on demand, which is a consistent read of 4 KB. */
  read: 0.125e-6,
  /** Per write request unit of DynamoDB on demand, which is a write of 1 KB outside of a transaction. */
  write: 0.625e-6,
  /** Per request of S3 Standard: PUT, COPY, POST and LIST, and all others. */
  s3Put: 5e-6,
  s3Get: 0.4e-6,
  /** Per request of KMS with a symmetric key. */
  keyRequest: 3e-6,
  /** Per byte that CloudWatch Logs takes in; it counts a GB as 2 to the power of 30 bytes. */
  logByte: 0.5 / 2 ** 30,
} as const;
