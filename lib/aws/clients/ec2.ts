import { EC2Client } from "@aws-sdk/client-ec2";
import { type ClientSettings, common } from "./settings.ts";

/**
 * Creates a client that allows EC2 several seconds per call and makes one request per call. Callers repeat throttled and lost
 * calls themselves, because a retry here would use up the account's requests without being counted.
 */
export const ec2Client = (settings: ClientSettings = {}): EC2Client =>
  new EC2Client(common(settings, { requestMs: 8_000, maxAttempts: 1 }));
