import * as z from "zod";
import { PoolName } from "../../../events/names.ts";
import { type Attempt, attemptCost, attemptEnds } from "../../model/history/attempt.ts";
import { Count, Cursor, Market, Time } from "./fields.ts";
import { iso, isoIf } from "./times.ts";

export const AttemptView = z
  .object({
    attempt: Count,
    pool: PoolName,
    nodes: z.array(z.string()).describe("By rank; one for a job that is no gang"),
    instanceType: z.string(),
    zone: z.string(),
    market: Market,
    usdPerHour: z.number().describe("The attempt's share of the price of its nodes"),
    costUsd: z.number().describe("Its cost until its end, or until now"),
    placedAt: Time,
    startedAt: Time.optional().describe("When its program was started"),
    endedAt: Time.optional().describe("When its program ended or was given up"),
    end: z
      .enum(attemptEnds)
      .optional()
      .describe("How it ended; interrupted attempts do not count against the job's retries. Omitted while it runs or its files are sealed"),
    exitCode: z.int().optional(),
    reason: z.string().optional().describe("Why it ended"),
  })
  .meta({ id: "Attempt" });
export type AttemptView = z.infer<typeof AttemptView>;

/** Newest first. */
export const AttemptPageView = z.object({ items: z.array(AttemptView), cursor: Cursor.optional() }).meta({ id: "AttemptPage" });
export type AttemptPageView = z.infer<typeof AttemptPageView>;

export const attemptView = (attempt: Attempt, nowMs: number): AttemptView => ({
  attempt: attempt.attempt,
  pool: attempt.pool,
  nodes: [...attempt.nodes],
  instanceType: attempt.instanceType,
  zone: attempt.zone,
  market: attempt.market,
  usdPerHour: attempt.usdPerHour,
  costUsd: Number(attemptCost(attempt, nowMs).toFixed(6)),
  placedAt: iso(attempt.placedAtMs),
  startedAt: isoIf(attempt.startedAtMs),
  endedAt: isoIf(attempt.endedAtMs),
  end: attempt.end,
  exitCode: attempt.exitCode,
  reason: attempt.reason,
});
