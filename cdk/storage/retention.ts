import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Configuration } from "../configuration/configuration.ts";

/** Returns CDK's enum value for a number of days. */
export function retention(days: Configuration["logRetentionDays"]): RetentionDays {
  const found = Object.values(RetentionDays).find((value): value is RetentionDays => value === days);
  if (found === undefined) throw new Error(`CloudWatch Logs does not support a retention of ${days} days`);
  return found;
}
