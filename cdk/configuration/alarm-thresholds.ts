import * as z from "zod";

const percent = z.number().min(0, "must be 0 to 100").max(100, "must be 0 to 100");
const minutes = z.int().min(1, "must be at least 1").max(1440, "must be a day at most");
const count = z.int().min(1, "must be at least 1");

/** When the alarms that ring pools go off, each after so many minutes in a row. */
export const AlarmThresholds = z.strictObject({
  gpuHighPercent: percent.default(90).describe("A pool's GPUs are busy: mean utilization at or above this"),
  gpuHighMinutes: minutes.default(5),
  gpuLowPercent: percent.default(10).describe("A pool's GPUs are idle though it has some: mean utilization at or below this"),
  gpuLowMinutes: minutes.default(10),
  queuedJobs: count.default(100).describe("So many jobs or more wait in a pool"),
  oldestQueuedSeconds: count.default(1800).describe("A pool's oldest job waits for so long or longer"),
  queueMinutes: minutes.default(5).describe("For both of a pool's queue"),
  messages: count.default(500).describe("So many messages or more lie on a team's queue: what takes them is behind"),
  messageAgeSeconds: count.default(300).describe("A team's oldest message lies there for so long or longer"),
  messageMinutes: minutes.default(2).describe("For both of a team's queue"),
});
export type AlarmThresholds = z.output<typeof AlarmThresholds>;
