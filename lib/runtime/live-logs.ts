import * as z from "zod";
import type { ByteLimits } from "../model/byte-allowance.ts";

const amount = z
  .int()
  .min(1)
  .max(1024 * 1024);

/**
 * What each attempt may send to CloudWatch Logs, which charges per byte. The defaults cost at most a quarter of a dollar per attempt. They
 * do not affect the kept log, which is always whole.
 */
export const LiveLogs = z
  .strictObject({
    burstKiB: amount.default(4 * 1024).describe("KiB at once, if little was written for a while"),
    kibPerSecond: amount.default(256).describe("KiB per second after that"),
    mibPerAttempt: amount.default(512).describe("MiB in total"),
  })
  .prefault({});
export type LiveLogs = z.infer<typeof LiveLogs>;

export const liveLimitsOf = ({ burstKiB, kibPerSecond, mibPerAttempt }: LiveLogs): ByteLimits => ({
  burstBytes: burstKiB * 1024,
  bytesPerSecond: kibPerSecond * 1024,
  totalBytes: mibPerAttempt * 1024 * 1024,
});
