import type { Order } from "../../../events/node-call.ts";
import { outboxKey } from "../../../events/outbox/outbox.ts";
import type { ByteLimits } from "../../model/byte-allowance.ts";
import { type AttemptRef, attemptName, type Job, type JobState, logStream } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import type { Pool } from "../../model/pool.ts";
import { runSecondsIn } from "../../model/values/attempt-times.ts";
import type { Log } from "../../ports/log.ts";
import type { Ports } from "../../ports/ports.ts";
import { type DataDeps, datasetsFor } from "./dataset-orders.ts";
import { gangOrder } from "./gang-order.ts";

export type RunOrderDeps = DataDeps &
  Pick<Ports, "access" | "nodeLedger" | "outboxKeys"> & {
    readonly now: () => number;
    /** Returns what a pool says about run times; undefined for a pool that is no longer configured. */
    readonly configured: (pool: string) => Pick<Pool, "maxRuntimeSeconds" | "islandHours" | "islandUsd"> | undefined;
    /** Where attempts put their files and logs. */
    readonly places: {
      readonly incomingBucket: string;
      readonly keyAliasPrefix: string;
      readonly logGroupPrefix: string;
      /** The unique id of the instances' role. */
      readonly instanceRoleId: string;
    };
    /** What an attempt's live log may contain. */
    readonly liveLimits: ByteLimits;
    readonly log: Log;
  };

type Outbox = Extract<Order, { kind: "run" }>["outbox"];

/** The attempt cannot run on any node, so its job must end. */
export type CannotRun = { readonly reason: string; readonly from: JobState };

/**
 * Returns the order to run what a node holds and has not started, or to stop it if the job was cancelled or its gang's attempt is over.
 * Returns no order if the attempt has meanwhile gone elsewhere, or while the gang's address or the data's location is not known.
 */
export async function runOrder(deps: RunOrderDeps, node: Node, held: Assignment): Promise<readonly Order[] | CannotRun> {
  const { team, job: id, attempt, rank } = held;
  const ref = { team, job: id, attempt };
  const job = await deps.nodeLedger.job(ref);
  // The worker may be preparing it, so only the worker's report takes the attempt off the node.
  if (job?.state === "cancelled") return [{ kind: "stop", ...ref, because: "the job was cancelled" }];
  if (rank !== undefined && !isUnderWay(job, held)) return [{ kind: "stop", ...ref, because: "the attempt has ended" }];
  if (!job?.spec || !isUnderWay(job, held)) return [];
  const gang = await gangOrder(deps, node, { job, held });
  if (gang === "wait") return [];
  const data = await datasetsFor(deps, { node: node.id, team, uses: job.spec.datasets, nowMs: deps.now() });
  if (data.kind === "wait") return [];
  if (data.kind === "never") return { reason: data.reason, from: job.state };
  const { places } = deps;
  const outbox = await outboxFor(deps, node, ref);
  return [
    {
      kind: "run",
      ...ref,
      // A job that moved here may have been admitted by a pool that allows more.
      spec: { ...job.spec, maxRuntimeSeconds: runSecondsIn(deps.configured(node.pool), job.spec.maxRuntimeSeconds) },
      credentials: await deps.access.credentials(ref),
      upload: { bucket: places.incomingBucket, kmsKey: `${places.keyAliasPrefix}${team}` },
      log: { group: `${places.logGroupPrefix}${team}`, stream: logStream(ref, rank), limits: deps.liveLimits },
      ...(gang ? { gang } : {}),
      ...(outbox && { outbox }),
      ...(data.datasets.length > 0 ? { datasets: data.datasets } : {}),
    },
  ];
}

/** Returns where the attempt's outbox goes; undefined if there is no key, because a job should not wait for what it will hardly ever need. */
async function outboxFor({ outboxKeys, places, log }: RunOrderDeps, node: Node, ref: AttemptRef): Promise<Outbox> {
  try {
    const keys = await outboxKeys.generate({ ...ref, node: node.id });
    return { bucket: places.incomingBucket, key: outboxKey({ ...ref, role: places.instanceRoleId, node: node.id }), ...keys };
  } catch (error) {
    log({ level: "error", message: "order has no outbox", pool: node.pool, node: node.id, attempt: attemptName(ref), error });
    return undefined;
  }
}

/** Reports whether the attempt is under way. A gang's job runs as soon as one of its members does. */
const isUnderWay = (job: Job | undefined, { attempt, rank }: Assignment): boolean =>
  job?.attempt === attempt && (job.state === "placed" || (rank !== undefined && job.state === "running"));
