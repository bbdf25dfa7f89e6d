import { isEnded } from "../../model/job.ts";
import { keptMs } from "../../model/values/kept.ts";
import { nextStart } from "../../model/values/period.ts";
import type { MemoryTable } from "../memory/table.ts";
import type { Chance } from "./chance.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const hourMs = 3_600_000;
/** How late DynamoDB and S3 delete what has expired, at most. Both promise no time; two days is what is seen. */
const latestMs = 48 * hourMs;

/** What of a run is deleted some time after it is over. */
export type ExpiringWorld = {
  readonly clock: VirtualClock;
  readonly ledger: { readonly table: MemoryTable };
  /** The objects of the bucket for uploads, by key. */
  readonly artifacts: { readonly incoming: Map<string, Buffer> };
  /** The outboxes in the same bucket, and when each was left. */
  readonly outboxes: { readonly left: Map<string, { readonly atMs: number }> };
};

/** Deletes what has expired, sooner or later, as DynamoDB's time to live and S3's lifecycle rules do. */
export function scheduleExpiry({ clock, ledger: { table }, artifacts, outboxes: { left } }: ExpiringWorld, chance: Chance): void {
  const { incoming } = artifacts;
  const arrived = new Map<string, { readonly object: Buffer; readonly atMs: number }>();
  const expire = (): void => {
    const byMs = clock.nowMs - (chance.happens(0.5) ? 0 : chance.between(0, latestMs));
    expireItems(table, byMs);
    const isUploadOver = ({ atMs }: { readonly atMs: number }): boolean => atMs + keptMs.upload <= byMs;
    deleteIf(left, isUploadOver);
    for (const [key, object] of incoming) if (arrived.get(key)?.object !== object) arrived.set(key, { object, atMs: clock.nowMs });
    for (const [key, upload] of arrived) if (isUploadOver(upload)) incoming.delete(key);
    deleteIf(arrived, isUploadOver);
    clock.after(hourMs, expire);
  };
  clock.after(hourMs, expire);
}

/** Deletes the records of a table in memory that have expired by a time, exactly those whose items have a `ttl` in the real table. */
export function expireItems(table: MemoryTable, byMs: number): void {
  const isOver = (atMs: number, forMs: number): boolean => atMs + forMs <= byMs;
  for (const [name, attempts] of table.attempts)
    table.attempts.set(
      name,
      attempts.filter(({ endedAtMs }) => endedAtMs === undefined || !isOver(endedAtMs, keptMs.job)),
    );
  for (const jobs of [table.jobs, table.laggingJobs])
    deleteIf(jobs, ({ state, endedAtMs, submittedAtMs }) => isEnded(state) && isOver(endedAtMs ?? submittedAtMs, keptMs.job));
  deleteIf(table.settledLaunches, ({ settledAtMs }) => isOver(settledAtMs, keptMs.settledLaunch));
  for (const node of table.forgotten.values()) if (isOver(node.stateSinceMs, keptMs.formerNode)) table.instances.delete(node.id);
  deleteIf(table.forgotten, ({ stateSinceMs }) => isOver(stateSinceMs, keptMs.formerNode));
  for (const { node } of table.nodes.values())
    if (node.lastSeenMs !== undefined && isOver(node.lastSeenMs, keptMs.heartbeat)) table.changeNode(node.pool, node.id, noHeartbeat);
  for (const failures of [...table.bootFailures.values(), ...table.silentEnds.values()])
    deleteIf<{ readonly atMs: number }>(failures, ({ atMs }) => isOver(atMs, keptMs.failure));
  deleteIf(table.refusals, ({ untilMs }) => isOver(untilMs, keptMs.refusal));
  deleteIf(table.outboxClaims, (claimedAtMs) => isOver(claimedAtMs, keptMs.outboxClaim));
  for (const { spent, spentByTeam } of table.poolRows.values())
    for (const days of [spent, ...spentByTeam.values()])
      deleteIf(days, (_, day) => isOver(nextStart("month", Date.parse(`${day}T00:00:00Z`)), keptMs.spent));
}

const noHeartbeat = {
  session: undefined,
  call: undefined,
  lastSeenMs: undefined,
  address: undefined,
  gpus: undefined,
  gpusAtMs: undefined,
  gpusBusyAtMs: undefined,
  datasets: undefined,
};

function deleteIf<T>(map: Map<string, T>, isOver: (value: T, key: string) => boolean): void {
  for (const [key, value] of map) if (isOver(value, key)) map.delete(key);
}
