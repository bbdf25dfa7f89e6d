import * as z from "zod";
import { Objectives } from "../../lib/runtime/objectives.ts";

/** What shows administrators how the deployment does. All of it is off by default. */
export const Watching = z.strictObject({
  dashboard: z
    .boolean()
    .default(false)
    .describe(
      "Whether there is a dashboard in CloudWatch, NAME-REGION. It costs $3 per month, unless it is one of the account's first three",
    ),
  objectives: Objectives.describe(
    "What the fleet should achieve. Each objective has an alarm, for $0.10 per month, and a metric, for up to $0.30 per month with work",
  ),
});
