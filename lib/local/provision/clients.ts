import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import type { IssuedCredentials } from "../requests/identities.ts";
import { type Clients, region } from "./world.ts";

/** Creates clients of all services at the local endpoint, with the SDK's three attempts. */
export function createClients(endpoint: string, credentials: IssuedCredentials): Clients & { destroy(): void } {
  const options = { endpoint, region, credentials, requestHandler: { requestTimeout: 30_000, connectionTimeout: 2_000 } };
  const clients = {
    dynamodb: new DynamoDBClient(options),
    ec2: new EC2Client(options),
    events: new EventBridgeClient(options),
    kms: new KMSClient(options),
    logs: new CloudWatchLogsClient(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sqs: new SQSClient(options),
    ssm: new SSMClient(options),
  };
  const destroy = (): void => {
    for (const client of Object.values(clients)) client.destroy();
  };
  return { ...clients, destroy };
}
