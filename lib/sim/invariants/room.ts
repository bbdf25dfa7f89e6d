import { jobName } from "../../model/job.ts";
import { freeOn } from "../../model/node.ts";
import { nodeKey } from "../memory/table.ts";
import type { ProgramRun } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/**
 * 13: programs on one machine find the room that was promised to each. No write checks this, because only one decision of a pool writes at
 * a time, and what it has seen can only have become more free meanwhile.
 */
export const room: Invariant = {
  number: 13,
  name: "nodes have room",
  says: "The attempts that a node holds never need more than the node has.",
  watch: (seen) => ({ on: (fact) => (fact.kind === "began" ? overfull(fact, seen()) : undefined) }),
};

/** Allows for rounding, because needs are sums of fractions. */
const tolerance = 1e-6;

function overfull(run: ProgramRun, { table }: WorldView): InvariantBreach {
  const pool = table.jobs.get(jobName(run))?.pool ?? "";
  const node = table.nodes.get(nodeKey(pool, run.instance))?.node;
  const short = Object.entries(node ? freeOn(node) : {}).find(([, free]) => free < -tolerance);
  return short && `${run.instance} holds ${node?.assignments.length} attempts, which need ${-short[1]} ${short[0]} more than it has`;
}
