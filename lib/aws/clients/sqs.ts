import { SQSClient } from "@aws-sdk/client-sqs";
import { type ClientSettings, common } from "./settings.ts";

/** The region's own endpoint, whatever host a queue's URL names. */
export const sqsClient = (settings: ClientSettings = {}): SQSClient =>
  new SQSClient({ ...common(settings, { requestMs: 5_000, maxAttempts: 3 }), useQueueUrlAsEndpoint: false });
