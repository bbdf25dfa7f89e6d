import { attemptName, type Job, jobName, nodesOf } from "../../model/job.ts";
import { nodeKey } from "../memory/table.ts";
import type { Fact } from "../world/facts.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 15: who failed whose job is known exactly. */
export const ownFaults: Invariant = {
  number: 15,
  name: "only own faults count",
  says: "A failure counts against a job only if a run of it failed by itself. A loss counts only if it had begun, and neither EC2 nor we took its node back.",
  watch: (seen) => {
    const known: Known = { failed: new Set(), begun: new Set(), warnedMs: new Map(), told: new Set() };
    return {
      on: (fact) => {
        note(fact, known, seen);
        if (fact.kind !== "job" || !fact.before) return undefined;
        return wrongFailure(fact.before, fact.after, { known, seen }) ?? wrongLoss(fact.before, fact.after, { known, seen });
      },
    };
  },
};

/** What the world knows of attempts, by name, and of instances. */
type Known = {
  /** Attempts of which a run failed by itself. */
  readonly failed: Set<string>;
  readonly begun: Set<string>;
  /** When EC2 gave notice that it takes an instance back. */
  readonly warnedMs: Map<string, number>;
  /** Instances whose worker has reported that, and got a response. */
  readonly told: Set<string>;
};

function note(fact: Fact, { failed, begun, warnedMs, told }: Known, seen: () => WorldView): void {
  if (fact.kind === "failed") failed.add(attemptName(fact.attempt));
  if (fact.kind === "began") begun.add(attemptName(fact));
  if (fact.kind === "warned" && fact.notice === "interruption") warnedMs.set(fact.id, seen().nowMs);
  if (fact.kind === "answered" && fact.sentAtMs >= (warnedMs.get(fact.instance) ?? Number.POSITIVE_INFINITY)) told.add(fact.instance);
}

type On = { readonly known: Known; readonly seen: () => WorldView };

function wrongFailure(before: Job, after: Job, { known }: On): InvariantBreach {
  if (after.failures <= before.failures || known.failed.has(attemptName(before))) return undefined;
  return `${attemptName(before)} counts as a failure of the job's own, but no run of it failed by itself: ${after.reason}`;
}

function wrongLoss(before: Job, after: Job, { known, seen }: On): InvariantBreach {
  if ((after.losses ?? 0) <= (before.losses ?? 0)) return undefined;
  const counted = `${attemptName(before)} counts as lost with its node (${after.reason})`;
  if (!known.begun.has(attemptName(before))) return `${counted}, but its program had not begun`;
  const nodes = nodesOf(before);
  return nodes.some((id) => isLost(id, before, { known, seen }))
    ? undefined
    : `${counted}, but ${nodes.join(", ") || jobName(before)} was not lost, or was taken back`;
}

/** Reports whether a job may take its node for lost: its worker died, or its instance ended and was not taken back. */
function isLost(id: string, { pool }: Job, { known, seen }: On): boolean {
  const { fleet, machine, table } = seen();
  if ((machine(id)?.crashes ?? 0) > 0 || machine(id)?.hungSinceMs !== undefined) return true;
  const isTakenBack = known.told.has(id) || table.nodes.get(nodeKey(pool, id))?.node.drain !== undefined;
  return fleet.instances.get(id)?.over === true && !isTakenBack;
}
