import type { JobNeed } from "./problem.ts";

type Urgency = Pick<JobNeed, "priority" | "deadlineHours">;

/** Less than this is now. */
const leastHours = 1 / 8;
const none = 64;

/** Deadlines that lie within a doubling of time are alike, so that there are few turns however many deadlines there are. */
const octaveOf = ({ deadlineHours }: Urgency): number =>
  deadlineHours === undefined ? none : Math.min(none - 1, Math.floor(Math.log2(Math.max(leastHours, deadlineHours))));

/** Who comes first where not all can be placed: the higher priority, among equals the nearer deadline. */
export const byUrgency = (a: Urgency, b: Urgency): number => (b.priority ?? 0) - (a.priority ?? 0) || octaveOf(a) - octaveOf(b);

/**
 * What an hour of waiting weighs: twice as much for each priority more, half for each less; and more the nearer the deadline, which
 * is all that the part `1 / hours` says: twice an hour before it, nine times when it is there.
 */
export const waitWeight = ({ priority = 0, deadlineHours }: Urgency): number =>
  2 ** priority * (deadlineHours === undefined ? 1 : 1 + 1 / Math.max(leastHours, deadlineHours));
