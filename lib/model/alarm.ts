/**
 * What an alarm that rings pools is about. `jobs-age`: a team's jobs queue, which submit-jobs empties. `queue-…`: a pool's waiting jobs.
 * `gpu-low`: a pool's GPUs that are idle.
 */
export type AlarmKind = (typeof kinds)[number];
export type AlarmOf = { readonly fleet: string; readonly kind: AlarmKind /** The team or the pool. */; readonly of: string };

const kinds = ["jobs-age", "queue-depth", "queue-age", "gpu-low"] as const;

/** The CloudWatch namespace of every metric that Fleetwright publishes. */
export const metricsNamespace = "Fleetwright";

/** Counts messages that functions could not handle: of all functions with the dimension fleet, and of each with fleet and service. */
export const failedMessagesMetric = "FailedMessages";

/** Counts what a pool's decisions try in vain, with the dimension fleet. Each pool publishes a value of its own. */
export const stuckMetric = "Stuck";

/** Counts the dead letters of all teams' jobs queues, with the dimension fleet. */
export const deadJobsMetric = "DeadJobs";

/** The prefix of all alarms that ring a fleet's pools, and of no others, because a fleet's name contains no slash. */
export const alarmPrefix = (fleet: string): string => `${fleet}/`;

/** "fleetwright/gpu-low/gpu" */
export const alarmName = ({ fleet, kind, of }: AlarmOf): string => `${alarmPrefix(fleet)}${kind}/${of}`;

/** Returns what the alarm of that name is about, or undefined if it is not an alarm of this fleet. */
export function alarmOf(name: string, fleet: string): AlarmOf | undefined {
  const [whose, given, of, ...more] = name.split("/");
  const kind = kinds.find((each) => each === given);
  return whose === fleet && kind && of && more.length === 0 ? { fleet, kind, of } : undefined;
}

/** Returns the names of the pools that an alarm is about; for a team's alarm, the pools that the team may use. Empty if there are none. */
export function poolsOf({ kind, of }: AlarmOf, pools: readonly { readonly name: string; readonly teams: readonly string[] }[]): string[] {
  return pools
    .filter((pool) => (kind === "jobs-age" ? pool.teams.length === 0 || pool.teams.includes(of) : pool.name === of))
    .map(({ name }) => name);
}
