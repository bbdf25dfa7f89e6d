import { attemptName, isOn, jobName } from "../../model/job.ts";
import type { ProgramRun } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant } from "./invariant.ts";

/** A heartbeat may be this much older than the last call: one is written each minute, with the first call after that, and clocks are wrong by seconds. */
const heartbeatMs = 90_000;

/** 3: no instance is terminated while it runs an attempt that the ledger still counts on. */
export const noBusyNodeEnded: Invariant = {
  number: 3,
  name: "no busy node is ended",
  says: "No node is terminated while it runs a job, unless the job was handed over, the node's drain is over, or its own worker was silent for too long.",
  watch: (seen) => ({
    on: (fact) => {
      if (fact.kind !== "terminated") return undefined;
      const now = seen();
      const work = now.running().find((run) => run.instance === fact.id && isItsOwn(run, now));
      return work ? `${fact.id} was terminated while ${attemptName(work)} ran on it` : undefined;
    },
  }),
};

/** Reports whether the ledger still counts on a run: it is the job's current attempt, on that node, which can be heard and whose drain is not over. */
function isItsOwn(run: ProgramRun, { table, nowMs, pools, machine }: WorldView): boolean {
  const job = table.jobs.get(jobName(run));
  const node = [...table.nodes.values()].find((row) => row.node.id === run.instance)?.node;
  if (!job || !node || job.attempt !== run.attempt || !isOn(job, run.instance)) return false;
  if (node.drain && nowMs > node.drain.untilMs) return false;
  const { silentSeconds } = pools.find(({ name }) => name === node.pool) ?? { silentSeconds: 1_800 };
  if (nowMs - (machine(run.instance)?.unreachableSinceMs ?? nowMs) > silentSeconds * 1000 - heartbeatMs) return false;
  const isUnderWay = job.state === "placed" || job.state === "running";
  return isUnderWay && node.state !== "gone";
}
