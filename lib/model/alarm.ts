/**
 * What an alarm of ours is about. `jobs-…`: a team's jobs queue, which submit-jobs empties; `queue-…` and `gpu-…`: a
 * pool's waiting jobs, and how busy its GPUs are.
 */
export type AlarmKind = (typeof kinds)[number];
export type AlarmOf = { readonly fleet: string; readonly kind: AlarmKind /** The team or the pool. */; readonly of: string };

const kinds = ["jobs-depth", "jobs-age", "queue-depth", "queue-age", "gpu-high", "gpu-low"] as const;

/** Of every metric that we publish. */
export const metricsNamespace = "Fleetwright";

/** All our alarms that ring pools begin with this, and nothing else does: a fleet's name holds no slash. */
export const alarmPrefix = (fleet: string): string => `${fleet}/`;

/** "fleetwright/gpu-high/gpu" */
export const alarmName = ({ fleet, kind, of }: AlarmOf): string => `${alarmPrefix(fleet)}${kind}/${of}`;

/** What an alarm of that name is about; undefined for one that is none of this fleet's. */
export function alarmOf(name: string, fleet: string): AlarmOf | undefined {
  const [whose, given, of, ...more] = name.split("/");
  const kind = kinds.find((each) => each === given);
  return whose === fleet && kind && of && more.length === 0 ? { fleet, kind, of } : undefined;
}

/** The pools that an alarm is about: a team's are those that it may use. Empty when it has none, or there is no such pool. */
export function poolsOf({ kind, of }: AlarmOf, pools: readonly { readonly name: string; readonly teams: readonly string[] }[]): string[] {
  const isOfTeam = kind === "jobs-depth" || kind === "jobs-age";
  return pools.filter((pool) => (isOfTeam ? pool.teams.length === 0 || pool.teams.includes(of) : pool.name === of)).map(({ name }) => name);
}
