import * as z from "zod";
import { jobStates } from "../../model/job.ts";
import { Time } from "./fields.ts";

/** A piece of an attempt's log, which is a whole line unless a field says otherwise. */
export const LogLineView = z
  .object({
    at: Time,
    text: z.string(),
    unfinished: z.literal(true).optional().describe("The line has no end yet"),
    continues: z.literal(true).optional().describe("Continues the previous line if that is unfinished"),
    rewrites: z.literal(true).optional().describe("Replaces the previous line if that is unfinished, for example as a progress bar does"),
  })
  .meta({ id: "LogLine" });
export type LogLineView = z.infer<typeof LogLineView>;

/** Lines of an attempt, oldest first, with the job's state, so that following a log needs no other call. */
export const LogPage = z
  .object({
    attempt: z.int().min(1).describe("The attempt that wrote the lines"),
    state: z.enum(jobStates).describe("The job's state"),
    reason: z.string().optional().describe("Why the job is in this state"),
    latestAttempt: z.int().min(1).describe("The number of the job's latest attempt"),
    members: z.int().min(1).describe("Number of members with a log of their own: a gang's size, otherwise 1"),
    lines: z.array(LogLineView),
    cursor: z.string().optional().describe("Pass it to the next call, even if there are no more lines yet; omitted until the first line"),
    more: z.boolean().describe("Whether there are more lines already"),
  })
  .meta({ id: "LogPage" });
export type LogPage = z.infer<typeof LogPage>;
