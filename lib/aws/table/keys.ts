import { createHash } from "node:crypto";
import type { DatasetRef } from "../../model/dataset.ts";
import type { AttemptRef, JobRef } from "../../model/job.ts";
import { type Subject, subjectName } from "../../model/refusal.ts";
import type { RequestKind } from "../../model/requests/request-limits.ts";

/** Where an item rests. Teams, pools, job ids and instance ids never contain `#`. */
export type Key = { readonly pk: string; readonly sk: string };

export const queueShards = 8;
export const fenceShards = 16;

export const jobKey = ({ team, job }: JobRef): Key => ({ pk: `J#${team}#${job}`, sk: "JOB" });

/** How a pool's queue is spread: a partition takes 1,000 writes a second. */
export const queuePartition = (pool: string, shard: number): string => `Q#${pool}#${shard}`;
/** A job's place in its pool's queue: one for all its attempts, and the first to go sorts first. */
export const queueKey = (job: JobRef & { pool: string; priority: number; submittedAtMs: number }): Key => ({
  pk: queuePartition(job.pool, shardOf(job)),
  sk: `${padded(50_000 - job.priority, 5)}#${padded(job.submittedAtMs, 15)}#${job.team}#${job.job}`,
});
export const placeInQueue = (sk: string): { priority: number; submittedAtMs: number; team: string; job: string } | undefined => {
  const [, priority, submittedAtMs, team, job] = /^(\d{5})#(\d{15})#([^#]+)#([^#]+)$/.exec(sk) ?? [];
  if (!priority || !submittedAtMs || !team || !job) return undefined;
  return { priority: 50_000 - Number(priority), submittedAtMs: Number(submittedAtMs), team, job };
};

export const nodePartition = (pool: string): string => `N#${pool}`;
export const nodeKey = (pool: string, node: string): Key => ({ pk: nodePartition(pool), sk: node });
/** Nodes that left the pool, for two weeks. */
export const forgottenNodeKey = (pool: string, node: string): Key => ({ pk: `ND#${pool}`, sk: node });
/** Says in which pool an instance is. */
export const instanceKey = (node: string): Key => ({ pk: `I#${node}`, sk: "INSTANCE" });

export const launchPartition = (pool: string): string => `L#${pool}`;
export const launchKey = (pool: string, launch: string): Key => ({ pk: launchPartition(pool), sk: launch });
/** Launches of which it is known what came, for two weeks. */
export const settledLaunchKey = (pool: string, launch: string): Key => ({ pk: `LD#${pool}`, sk: launch });

/** What was refused to anybody, whatever the pool; the release before this one kept what its pools were refused under `R#pool`. */
export const refusalPartition = "REFUSED";
/** What may only be wrong with this pool's requests. */
export const faultPartition = (pool: string): string => `REFUSED#${pool}`;
export const refusalKey = (subject: Subject): Key => ({
  pk: subject.why === "fault" ? faultPartition(subject.pool) : refusalPartition,
  sk: subjectName(subject),
});

/** Instances of the pool that never became workers. */
export const bootFailurePartition = (pool: string): string => `B#${pool}`;
export const bootFailureKey = (pool: string, node: string): Key => ({ pk: bootFailurePartition(pool), sk: node });

/** The newest epoch, and what is reserved. */
export const poolKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "POOL" });
/** What all pools together have reserved: the deployment's item, and one for each team. */
export const reservedPartition = "RESERVED";
export const deploymentReservedKey: Key = { pk: reservedPartition, sk: "DEPLOYMENT" };
export const teamReservedKey = (team: string): Key => ({ pk: reservedPartition, sk: `TEAM#${team}` });
export const teamOfReservedKey = (sk: string): string | undefined => /^TEAM#([^#]+)$/.exec(sk)?.[1];
/** Apart from the pool's item, for everybody rings it while `place` writes transactions that name that one. */
export const bellKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "BELL" });
/** Copies of the epoch: transactions that run side by side each check another one, or they would cancel each other. */
export const fenceKey = (pool: string, shard: number): Key => ({ pk: `P#${pool}`, sk: `FENCE#${padded(shard, 2)}` });

/** What the pool's packings have taught. */
export const learnedKey = (pool: string): Key => ({ pk: `P#${pool}`, sk: "LEARNED" });

/** Which pools there are, configured or not. */
export const registryPartition = "PS";
export const registryKey = (pool: string): Key => ({ pk: registryPartition, sk: pool });
/** Instances that were seen and that nobody owns, with the time of the first sight. */
export const straysKey: Key = { pk: "U", sk: "STRAYS" };

/** What nodes that have ended cost in a month, such as "2026-11". */
export const spentKey = (pool: string, month: string): Key => ({ pk: `P#${pool}`, sk: `SPENT#${month}` });

/** What is left of the account's requests to EC2, one item a kind. */
export const requestsKey = (kind: RequestKind): Key => ({ pk: "EC2", sk: `REQUESTS#${kind}` });

export const catalogueKey = (pool: string): Key => ({ pk: `C#${pool}`, sk: "CATALOGUE" });

export const datasetPartition = (team: string): string => `D#${team}`;
export const datasetKey = ({ team, dataset }: DatasetRef): Key => ({ pk: datasetPartition(team), sk: dataset });
/** Until when a node has asked for a dataset's map. */
export const askKey = ({ team, dataset }: DatasetRef, node: string): Key => ({ pk: `DA#${team}#${dataset}`, sk: node });

export const sealingPartition = "S";
export const sealingKey = ({ team, job, attempt }: AttemptRef): Key => ({ pk: sealingPartition, sk: `${team}#${job}#${attempt}` });

/** A job's place in the index of its team. */
export const submittedKey = (job: { submittedAtMs: number; job: string }): string => `${padded(job.submittedAtMs, 15)}#${job.job}`;
/** Sorts before all that were submitted then or later, and after all others. */
export const submittedFrom = (atMs: number): string => padded(Math.min(Math.max(Math.trunc(atMs), 0), 1e15 - 1), 15);
export const jobOfSubmittedKey = (submitted: string): string | undefined => /^\d{15}#([^#]+)$/.exec(submitted)?.[1];

const padded = (n: number, digits: number): string => String(n).padStart(digits, "0");
const shardOf = ({ team, job }: JobRef): number => (createHash("sha256").update(`${team}/${job}`).digest()[0] ?? 0) % queueShards;
