import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { KMSClient } from "@aws-sdk/client-kms";
import { PricingClient } from "@aws-sdk/client-pricing";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";

/**
 * How a client is made. What is absent, the SDK reads where it always does (region, credentials, AWS_ENDPOINT_URL).
 * One function a service, so that a bundle carries only those that it calls.
 */
export type ClientSettings = {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined;
  /** Until an answer begins, one attempt. */
  readonly requestMs?: number | undefined;
  /** The first try counts. */
  readonly maxAttempts?: number | undefined;
};

/**
 * EC2 may think for seconds. Each call is one request: what EC2 throttles or does not answer is asked again by whoever knows
 * whose turn it is, and a second try here would count against the account behind their backs.
 */
export const ec2Client = (settings: ClientSettings = {}): EC2Client =>
  new EC2Client(common(settings, { requestMs: 8_000, maxAttempts: 1 }));

/** The price list is served from a few regions only, for all of them. */
export const pricingClient = (settings: ClientSettings = {}): PricingClient =>
  new PricingClient({ ...common(settings, { requestMs: 10_000, maxAttempts: 3 }), region: "us-east-1" });

/** A part of an upload may take long on a thin line, and a download waits while what was read of it is passed on. */
export const s3Client = (settings: ClientSettings = {}): S3Client =>
  new S3Client({ ...common(settings, { requestMs: 120_000, maxAttempts: 3, silentMs: 60_000 }), forcePathStyle: true });

/** The region's own endpoint, whatever host a queue's URL names. */
export const sqsClient = (settings: ClientSettings = {}): SQSClient =>
  new SQSClient({ ...common(settings, { requestMs: 5_000, maxAttempts: 3 }), useQueueUrlAsEndpoint: false });

export const dynamoClient = (settings: ClientSettings = {}): DynamoDBClient =>
  new DynamoDBClient(common(settings, { requestMs: 3_000, maxAttempts: 4 }));

export const kmsClient = (settings: ClientSettings = {}): KMSClient => new KMSClient(common(settings, small));
export const stsClient = (settings: ClientSettings = {}): STSClient => new STSClient(common(settings, small));
export const ssmClient = (settings: ClientSettings = {}): SSMClient => new SSMClient(common(settings, small));
export const logsClient = (settings: ClientSettings = {}): CloudWatchLogsClient => new CloudWatchLogsClient(common(settings, small));

/** `silentMs`: a connection on which nothing moves for so long is dead. */
type Bounds = { readonly requestMs: number; readonly maxAttempts: number; readonly silentMs?: number };

/** Calls that are answered at once or not at all. */
const small: Bounds = { requestMs: 5_000, maxAttempts: 3 };

function common({ region, endpoint, credentials, ...asked }: ClientSettings, usual: Bounds) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: asked.maxAttempts ?? usual.maxAttempts,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: asked.requestMs ?? usual.requestMs,
      // Without it a breach is only logged.
      throwOnRequestTimeout: true,
      socketTimeout: usual.silentMs ?? 15_000,
    },
  };
}
