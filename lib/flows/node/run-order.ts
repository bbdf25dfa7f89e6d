import type { Order } from "../../../events/node-call.ts";
import { type Job, type JobState, logStream } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import type { JobAccess } from "../../ports/job-access.ts";
import type { NodeLedger } from "../../ports/node-ledger.ts";
import { type DataDeps, datasetsFor } from "./dataset-orders.ts";
import { gangOrder } from "./gang-order.ts";

export type RunOrderDeps = {
  readonly ledger: Pick<NodeLedger, "job" | "get">;
  readonly access: JobAccess;
  readonly data: DataDeps;
  readonly now: () => number;
  /** Where attempts put what they leave. */
  readonly places: { readonly incomingBucket: string; readonly keyAliasPrefix: string; readonly logGroupPrefix: string };
};

/** It cannot run, wherever it is: its job has to end. */
export type Never = { readonly never: string; readonly from: JobState };

/**
 * The order to run what a node holds and has not begun; to stop it when the job was cancelled, or its gang's attempt is over.
 * Empty when it has meanwhile gone elsewhere, and while the rest of its gang or where its data is cannot be told.
 */
export async function runOrder(deps: RunOrderDeps, node: Node, held: Assignment): Promise<readonly Order[] | Never> {
  const { team, job: id, attempt, rank } = held;
  const ref = { team, job: id, attempt };
  const job = await deps.ledger.job(ref);
  // Its worker may be preparing it: only its answer takes the attempt off the node.
  if (job?.state === "cancelled") return [{ kind: "stop", ...ref, because: "the job was cancelled" }];
  if (rank !== undefined && !isUnderWay(job, held)) return [{ kind: "stop", ...ref, because: "the attempt has ended" }];
  if (!job?.spec || !isUnderWay(job, held)) return [];
  const gang = await gangOrder(deps, node, { job, held });
  if (gang === "wait") return [];
  const data = await datasetsFor(deps.data, { node: node.id, team, uses: job.spec.datasets, nowMs: deps.now() });
  if (data.kind === "wait") return [];
  if (data.kind === "never") return { never: data.because, from: job.state };
  const { places } = deps;
  return [
    {
      kind: "run",
      ...ref,
      spec: job.spec,
      credentials: await deps.access.credentials(ref),
      upload: { bucket: places.incomingBucket, kmsKey: `${places.keyAliasPrefix}${team}` },
      log: { group: `${places.logGroupPrefix}${team}`, stream: logStream(ref, rank) },
      ...(gang ? { gang } : {}),
      ...(data.datasets.length > 0 ? { datasets: data.datasets } : {}),
    },
  ];
}

/** A gang's job runs as soon as one of its members does. */
const isUnderWay = (job: Job | undefined, { attempt, rank }: Assignment): boolean =>
  job?.attempt === attempt && (job.state === "placed" || (rank !== undefined && job.state === "running"));
