import { SQSClient } from "@aws-sdk/client-sqs";
import { type ClientSettings, common } from "./settings.ts";

/** Creates a client that uses the region's endpoint, regardless of the host in a queue's URL. */
export const sqsClient = (settings: ClientSettings = {}): SQSClient =>
  new SQSClient({ ...common(settings, { requestMs: 5_000, maxAttempts: 3 }), useQueueUrlAsEndpoint: false });
