import { EC2Client } from "@aws-sdk/client-ec2";
import { type ClientSettings, common } from "./settings.ts";

/**
 * EC2 may think for seconds. Each call is one request: what EC2 throttles or does not answer is asked again by whoever knows
 * whose turn it is, and a second try here would count against the account behind their backs.
 */
export const ec2Client = (settings: ClientSettings = {}): EC2Client =>
  new EC2Client(common(settings, { requestMs: 8_000, maxAttempts: 1 }));
