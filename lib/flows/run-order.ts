import type { Order } from "../../events/node-call.ts";
import { logStream } from "../model/job.ts";
import type { Assignment, Node } from "../model/node.ts";
import type { JobAccess } from "../ports/job-access.ts";
import type { NodeLedger } from "../ports/node-ledger.ts";

export type RunOrderDeps = {
  readonly ledger: Pick<NodeLedger, "job">;
  readonly access: JobAccess;
  /** Where attempts put what they leave. */
  readonly places: { readonly incomingBucket: string; readonly keyAliasPrefix: string; readonly logGroupPrefix: string };
};

/** The order to run what a node holds and has not begun; empty when the job has meanwhile gone elsewhere. */
export async function runOrder(deps: RunOrderDeps, _node: Node, { team, job: id, attempt }: Assignment): Promise<Order[]> {
  const ref = { team, job: id, attempt };
  const job = await deps.ledger.job(ref);
  if (!job?.spec || job.state !== "placed" || job.attempt !== attempt) return [];
  const { places } = deps;
  return [
    {
      kind: "run",
      ...ref,
      spec: job.spec,
      credentials: await deps.access.credentials(ref),
      upload: { bucket: places.incomingBucket, kmsKey: `${places.keyAliasPrefix}${team}` },
      log: { group: `${places.logGroupPrefix}${team}`, stream: logStream(ref) },
    },
  ];
}
