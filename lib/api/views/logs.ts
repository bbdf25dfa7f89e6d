import * as z from "zod";
import { jobStates } from "../../model/job.ts";
import { Time } from "./fields.ts";

/** A piece of what an attempt wrote: a line, unless it says otherwise. */
export const LogLine = z
  .object({
    at: Time,
    text: z.string(),
    unfinished: z.literal(true).optional().describe("The line had no end yet"),
    continues: z.literal(true).optional().describe("Goes on with the line before, if that is unfinished"),
    rewrites: z.literal(true).optional().describe("Takes the place of the line before, if that is unfinished, as a progress bar does"),
  })
  .meta({ id: "LogLine" });
export type LogLine = z.infer<typeof LogLine>;

/** Lines of one attempt, oldest first, and how the job stands, so that a follower needs one call only. */
export const LogPage = z
  .object({
    attempt: z.int().min(1).describe("Whose lines these are"),
    state: z.enum(jobStates).describe("Of the job"),
    reason: z.string().optional().describe("Why the job is in this state"),
    latestAttempt: z.int().min(1).describe("Of the job"),
    members: z.int().min(1).describe("How many members write logs of their own: a gang's size, else 1"),
    lines: z.array(LogLine),
    cursor: z.string().optional().describe("Goes into the next call, also when nothing more is there yet; absent until the first line"),
    more: z.boolean().describe("Whether more lines are there already"),
  })
  .meta({ id: "LogPage" });
export type LogPage = z.infer<typeof LogPage>;
