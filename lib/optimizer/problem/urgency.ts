import type { JobNeed } from "./problem.ts";

type Urgency = Pick<JobNeed, "priority" | "deadlineHours">;

/** A deadline that is nearer than this counts as this. */
const minHours = 1 / 8;
const none = 64;

/** Deadlines in the same octave of hours count as equal, so that there are only few turns, however many deadlines there are. */
const octaveOf = ({ deadlineHours }: Urgency): number =>
  deadlineHours === undefined ? none : Math.min(none - 1, Math.floor(Math.log2(Math.max(minHours, deadlineHours))));

/** Orders jobs for when not all can be placed: higher priorities first and, among equal ones, nearer deadlines first. */
export const byUrgency = (a: Urgency, b: Urgency): number => (b.priority ?? 0) - (a.priority ?? 0) || octaveOf(a) - octaveOf(b);

/**
 * Returns the weight of an hour of waiting. It doubles with each step of priority, and grows by `1 / hours` as the deadline approaches:
 * it is twice as high one hour before the deadline, and nine times as high at the deadline.
 */
export const waitWeight = ({ priority = 0, deadlineHours }: Urgency): number =>
  2 ** priority * (deadlineHours === undefined ? 1 : 1 + 1 / Math.max(minHours, deadlineHours));
