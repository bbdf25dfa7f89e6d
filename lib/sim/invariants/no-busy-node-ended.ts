import { attemptName, isOn, jobName } from "../../model/job.ts";
import type { ProgramRun } from "../world/facts.ts";
import type { Seen } from "../world/seen.ts";
import type { Invariant } from "./invariant.ts";

/** A worker has let go by then, whatever its clock says. */
const leaseMarginMs = 60_000;

/** 3: what we have EC2 end holds no attempt that is still its own. */
export const noBusyNodeEnded: Invariant = {
  number: 3,
  name: "no busy node is ended",
  says: "No node is terminated while it works, unless its work was handed over or its time was up.",
  watch: (seen) => ({
    on: (fact) => {
      if (fact.kind !== "terminated") return undefined;
      const now = seen();
      const work = now.running().find((run) => run.instance === fact.id && isItsOwn(run, now));
      return work ? `${fact.id} was ended while ${attemptName(work)} ran on it` : undefined;
    },
  }),
};

/** Whether the ledger still counts on that run: it is the attempt that counts, on that node, whose lease and drain go on. */
function isItsOwn(run: ProgramRun, { table, nowMs }: Seen): boolean {
  const job = table.jobs.get(jobName(run));
  const node = [...table.nodes.values()].find((row) => row.node.id === run.instance)?.node;
  if (!job || !node || job.attempt !== run.attempt || !isOn(job, run.instance)) return false;
  if (node.drain && nowMs > node.drain.untilMs) return false;
  const isUnderWay = job.state === "placed" || job.state === "running";
  return isUnderWay && node.state !== "gone" && nowMs <= node.leaseUntilMs + leaseMarginMs;
}
