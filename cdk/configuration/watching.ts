import * as z from "zod";
import { Objectives } from "../../lib/runtime/objectives.ts";

const percent = z.number().min(0, "must be 0 to 100").max(100, "must be 0 to 100");
const minutes = z.int().min(1, "must be at least 1").max(1440, "must not be more than a day");
const count = z.int().min(1, "must be at least 1");

/** Thresholds of the alarms that ring pools, each with the minutes in a row for which it must be crossed. */
const AlarmThresholds = z.strictObject({
  gpuLowPercent: percent
    .default(10)
    .describe("Mean utilization at or below which a pool's GPUs count as idle; a pool without GPUs is ignored"),
  gpuLowMinutes: minutes.default(10),
  queuedJobs: count.default(100).describe("Number of waiting jobs in a pool"),
  oldestQueuedSeconds: count.default(1800).describe("How long the oldest job has waited in a pool"),
  queueMinutes: minutes.default(5).describe("Minutes in a row for queuedJobs and oldestQueuedSeconds"),
  messageAgeSeconds: count
    .default(300)
    .describe("How long the oldest message has been on a team's queue, which grows if submit-jobs is behind"),
  messageMinutes: minutes.default(2).describe("Minutes in a row for messageAgeSeconds"),
});

/** What shows administrators how the deployment does. The dashboard and the objectives are off by default, because they cost money. */
export const Watching = z.strictObject({
  alarms: AlarmThresholds.prefault({}).describe("Thresholds of the alarms that trigger new decisions about pools"),
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
