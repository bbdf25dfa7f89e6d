import { createHash } from "node:crypto";
import type { DatasetRef, Source } from "../../model/dataset.ts";
import type { AttemptRef, JobRef, OutboxRef } from "../../model/job.ts";
import { type Subject, subjectName } from "../../model/refusal.ts";
import type { RequestKind } from "../../model/requests/request-limits.ts";
import { placesKey, type Wants } from "../../model/wants.ts";

/** The key of an item. Teams, pools, job ids and instance ids never contain `#`. */
export type Key = { readonly pk: string; readonly sk: string };

export const fenceShards = 16;

const jobPartition = ({ team, job }: JobRef): string => `J#${team}#${job}`;
/** A job's state: what changes while it waits and runs. */
export const jobKey = (ref: JobRef): Key => ({ pk: jobPartition(ref), sk: "STATE" });
/** What the job's message asked for. It may be large and is written once. */
export const specKey = (ref: JobRef): Key => ({ pk: jobPartition(ref), sk: "SPEC" });
/** What was kept of the attempt that ended the job. */
export const artifactsKey = (ref: JobRef): Key => ({ pk: jobPartition(ref), sk: "ARTIFACTS" });
/** The record of one attempt. Keys sort by number, which has many digits in a table that was restored from a backup. */
export const attemptKey = (ref: AttemptRef): Key => ({ pk: jobPartition(ref), sk: `ATTEMPT#${padded(ref.attempt, 15)}` });

/** A team's part of a pool's queue, so that no team's jobs hide those of another. */
export const queuePartition = (pool: string, team: string): string => `Q#${pool}#${team}`;
/**
 * A job's place in its pool's queue, the same for all its attempts. Jobs that may run in the same places have the same class and are next
 * to each other. Of these, the next to be placed sorts first.
 */
export const queueKey = (job: JobRef & Wants & { pool: string; priority: number; submittedAtMs: number }): Key => ({
  pk: queuePartition(job.pool, job.team),
  sk: `${classOf(job)}#${padded(50_000 - job.priority, 5)}#${padded(job.submittedAtMs, 15)}#${job.job}`,
});
export const classLength = 8;
export const placeInQueue = ({ pk, sk }: Key): { priority: number; submittedAtMs: number; team: string; job: string } | undefined => {
  const [, team] = /^Q#[^#]+#([^#]+)$/.exec(pk) ?? [];
  const [, priority, submittedAtMs, job] = /^[0-9a-f]{8}#(\d{5})#(\d{15})#([^#]+)$/.exec(sk) ?? [];
  if (team === undefined || job === undefined) return undefined;
  return { priority: 50_000 - Number(priority), submittedAtMs: Number(submittedAtMs), team, job };
};
/** The teams that ever had a job in the pool's queue, each with the number that wait. */
export const queuesPartition = (pool: string): string => `QT#${pool}`;
export const queueOfTeamKey = (pool: string, team: string): Key => ({ pk: queuesPartition(pool), sk: team });

const nodeShards = 4;
const nodePartition = (pool: string, shard: number): string => `N#${pool}#${shard}`;
/** A pool's nodes are in several partitions, because the heartbeats of thousands would be too many writes for one. */
export const nodePartitions = (pool: string): readonly string[] =>
  Array.from({ length: nodeShards }, (_, shard) => nodePartition(pool, shard));
export const nodeKey = (pool: string, node: string): Key => ({ pk: nodePartition(pool, hashOf(node).readUInt8() % nodeShards), sk: node });
/** What a node's worker reports all the time. It is next to its node, and sorts after it and before the next node. */
export const heartbeatKey = (pool: string, node: string): Key => ({ ...nodeKey(pool, node), sk: `${node}#HEARTBEAT` });
/** The datasets that a node has fetched. */
export const nodeDatasetsKey = (pool: string, node: string): Key => ({ ...nodeKey(pool, node), sk: `${node}#DATASETS` });
/** Returns the first sort key and one after the last of a node's items. */
export const nodeRange = (node: string): readonly [string, string] => [node, `${node}#~`];
/** Returns which item of which node has the sort key; `kind` is undefined for the node's own. */
export function partOfNode(sk: string): { readonly node: string; readonly kind: string | undefined } {
  const [node = sk, kind] = sk.split("#");
  return { node, kind };
}
/** A node that has left the pool, kept for two weeks. */
export const forgottenNodeKey = (pool: string, node: string): Key => ({ pk: `ND#${pool}`, sk: node });
/** The pool of an instance. */
export const instanceKey = (node: string): Key => ({ pk: `I#${node}`, sk: "INSTANCE" });

export const launchPartition = (pool: string): string => `L#${pool}`;
export const launchKey = (pool: string, launch: string): Key => ({ pk: launchPartition(pool), sk: launch });
/** A launch whose outcome is known, kept for two weeks. */
export const settledLaunchKey = (pool: string, launch: string): Key => ({ pk: `LD#${pool}`, sk: launch });

/** Refusals that apply to all pools. */
export const refusalPartition = "REFUSED";
/** Refusals that may be caused by this pool's requests only. */
export const faultPartition = (pool: string): string => `REFUSED#${pool}`;
export const refusalKey = (subject: Subject): Key => ({
  pk: subject.why === "fault" ? faultPartition(subject.pool) : refusalPartition,
  sk: subjectName(subject),
});

/** The pool's instances that never became workers. */
export const bootFailurePartition = (pool: string): string => `B#${pool}`;
/** The partition of nodes that did not boot also has those that were ended for silence, so that both are read at once. */
export const silentEndKey = (pool: string, node: string): Key => ({ pk: bootFailurePartition(pool), sk: `${silentPrefix}${node}` });
const silentPrefix = "SILENT#";
export const isSilentEnd = (sk: unknown): boolean => String(sk).startsWith(silentPrefix);
/** Whether the deployment hears workers. */
export const hearingKey: Key = { pk: "HEARING", sk: "HEARING" };
export const bootFailureKey = (pool: string, node: string): Key => ({ pk: bootFailurePartition(pool), sk: node });

/** The pool's newest epoch and its reservation. */
export const poolKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "POOL" });
/** The reservations of all pools together: one item for the deployment and one per team. */
export const reservedPartition = "RESERVED";
export const deploymentReservedKey: Key = { pk: reservedPartition, sk: "DEPLOYMENT" };
export const teamReservedKey = (team: string): Key => ({ pk: reservedPartition, sk: `TEAM#${team}` });
export const teamOfReservedKey = (sk: string): string | undefined => /^TEAM#([^#]+)$/.exec(sk)?.[1];
/** The pool's bell. It is not part of the pool's item, because rings would conflict with the transactions of `place` on that item. */
export const bellKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "BELL" });
/** A copy of the epoch. Concurrent transactions each check another copy, because they would cancel each other on a single item. */
export const fenceKey = (pool: string, shard: number): Key => ({ pk: `P#${pool}`, sk: `FENCE#${padded(shard, 2)}` });

/** The pool's statistics about packing engines. */
export const learnedKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "LEARNED" });

/** What the pool could not do lately. */
export const backOffsKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "BACKOFFS" });

/** What admins have ordered about the pool and its nodes, or what they have set for all pools, whose name is `*`. */
export const overridesKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "OVERRIDES" });

/** When the first table was created, of which this one may be a restored copy. */
export const firstTableKey: Key = { pk: "TABLE", sk: "FIRST" };

/** All known pools, configured or not. */
export const registryPartition = "PS";
export const registryKey = (pool: string): Key => ({ pk: registryPartition, sk: pool });
/** Orphaned instances, with the time when each was first seen. */
export const orphansKey: Key = { pk: "U", sk: "STRAYS" };

/** The cost of ended nodes in a month, for example "2026-11". */
export const spentKey = (pool: string, month: string): Key => ({ pk: `P#${pool}`, sk: `SPENT#${month}` });

/** The cost of each team's ended nodes in a month, in a pool. */
export const teamsSpentPartition = (pool: string, month: string): string => `SP#${pool}#${month}`;
export const teamSpentKey = (pool: string, month: string, team: string): Key => ({ pk: teamsSpentPartition(pool, month), sk: team });

/** The token bucket of requests to EC2 in a region, one item per kind of request. */
export const requestsKey = (region: string, kind: RequestKind): Key => ({ pk: "EC2", sk: `REQUESTS#${region}#${kind}` });

export const catalogueKey = (pool: string): Key => ({ pk: `C#${pool}`, sk: "CATALOGUE" });

export const datasetPartition = (team: string): string => `D#${team}`;
export const datasetKey = ({ team, dataset }: DatasetRef): Key => ({ pk: datasetPartition(team), sk: dataset });
/** How many datasets a team has. */
export const datasetCountKey = (team: string): Key => ({ pk: `DN#${team}`, sk: "DATASETS" });
/** How often a team's sources, or one of them, were listed in the present interval. */
export const listingsKey = (team: string, source?: Source): Key => ({
  pk: `DL#${team}`,
  sk: source === undefined ? "TEAM" : `SOURCE#${source.bucket}/${source.prefix}`,
});
/** Until when a node's request for a dataset's map is remembered. */
export const mapRequestKey = ({ team, dataset }: DatasetRef, node: string): Key => ({ pk: `DA#${team}#${dataset}`, sk: node });

export const sealingPartition = "S";
export const sealingKey = ({ team, job, attempt }: AttemptRef): Key => ({ pk: sealingPartition, sk: `${team}#${job}#${attempt}` });

/** Until when an outbox is not asked for again, because a message about it was sent. */
export const outboxClaimKey = ({ node, team, job, attempt }: OutboxRef): Key => ({ pk: `O#${node}`, sk: `${team}#${job}#${attempt}` });

/** The UTC days on which a team submitted jobs, such as "2026-11-30". */
export const daysPartition = (team: string): string => `TD#${team}`;
export const dayKey = (team: string, day: string): Key => ({ pk: daysPartition(team), sk: day });
/** Returns the partition of the team index with the jobs of a day, so that no partition grows with all that a team ever submitted. */
export const dayInIndex = (team: string, day: string): string => `${team}#${day}`;
/** Returns a job's sort key in the team index. */
export const submittedKey = (job: { submittedAtMs: number; job: string }): string => `${padded(job.submittedAtMs, 15)}#${job.job}`;
/** Returns a sort key before all jobs that were submitted at this time or later, and after all others. */
export const submittedFrom = (atMs: number): string => padded(Math.min(Math.max(Math.trunc(atMs), 0), 1e15 - 1), 15);
export const placeOfSubmittedKey = (submitted: string): { submittedAtMs: number; job: string } | undefined => {
  const [, submittedAtMs, job] = /^(\d{15})#([^#]+)$/.exec(submitted) ?? [];
  return submittedAtMs === undefined || job === undefined ? undefined : { submittedAtMs: Number(submittedAtMs), job };
};

const padded = (n: number, digits: number): string => String(n).padStart(digits, "0");
/** Returns a class that two jobs share if they may run in the same places, and otherwise only by chance, which is harmless. */
const classOf = (wants: Wants): string => classNamed(placesKey(wants));
/** Returns a class that depends on nothing but the text. */
export const classNamed = (text: string): string => hashOf(text).toString("hex").slice(0, classLength);
const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest();
