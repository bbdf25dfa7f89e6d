import * as z from "zod";
import type { Objective } from "../model/objectives/objective.ts";

const seconds = z.number().min(1, "must be a second or more").max(86_400, "must not be longer than a day");

/** What the fleet should achieve. Each objective that is set has an alarm and a metric; without one there is neither. See docs/operations.md. */
export const Objectives = z
  .strictObject({
    launchSeconds: seconds
      .optional()
      .describe("Within how many seconds EC2 has launched a node for a message that needs one, for 99 % of launches in an hour"),
    startSeconds: seconds
      .optional()
      .describe("Within how many seconds a program runs that could start at once, or else has its place, for 99 % of starts in an hour"),
    lostWork: z
      .int()
      .min(0, "must not be negative")
      .max(1_000_000, "must not be more than a million")
      .optional()
      .describe("How many runs may end within a day by a fault of Fleetwright or of a machine"),
  })
  .prefault({});
export type Objectives = z.infer<typeof Objectives>;

/** Returns the most that each objective allows, s or runs; undefined for one that is not set. */
export const allowedBy = ({ launchSeconds, startSeconds, lostWork }: Objectives): Readonly<Record<Objective, number | undefined>> => ({
  launch: launchSeconds,
  start: startSeconds,
  "lost-work": lostWork,
});
