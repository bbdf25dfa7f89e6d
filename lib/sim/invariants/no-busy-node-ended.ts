import { attemptName, isOn, jobName } from "../../model/job.ts";
import type { ProgramRun } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant } from "./invariant.ts";

/** A worker must have stopped its work this long after its lease, whatever its clock says. */
const leaseMarginMs = 60_000;

/** 3: no instance is terminated while it runs an attempt that the ledger still counts on. */
export const noBusyNodeEnded: Invariant = {
  number: 3,
  name: "no busy node is ended",
  says: "No node is terminated while it runs a job, unless the job was handed over or the node's drain or lease is over.",
  watch: (seen) => ({
    on: (fact) => {
      if (fact.kind !== "terminated") return undefined;
      const now = seen();
      const work = now.running().find((run) => run.instance === fact.id && isItsOwn(run, now));
      return work ? `${fact.id} was terminated while ${attemptName(work)} ran on it` : undefined;
    },
  }),
};

/** Reports whether the ledger still counts on a run: it is the job's current attempt, on that node, whose lease and drain are not over. */
function isItsOwn(run: ProgramRun, { table, nowMs }: WorldView): boolean {
  const job = table.jobs.get(jobName(run));
  const node = [...table.nodes.values()].find((row) => row.node.id === run.instance)?.node;
  if (!job || !node || job.attempt !== run.attempt || !isOn(job, run.instance)) return false;
  if (node.drain && nowMs > node.drain.untilMs) return false;
  const isUnderWay = job.state === "placed" || job.state === "running";
  return isUnderWay && node.state !== "gone" && nowMs <= node.leaseUntilMs + leaseMarginMs;
}
