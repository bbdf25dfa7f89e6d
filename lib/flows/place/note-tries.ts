import { subjectOf } from "../../decide/back-off/resting.ts";
import type { Snapshot, Step } from "../../model/plan.ts";
import { backOffsAfter, type Tried } from "../../model/values/back-off.ts";
import type { Log } from "../../ports/log.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { Ports } from "../../ports/ports.ts";
import type { StepOutcome } from "../ec2/outcome.ts";

type Deps = Pick<Ports, "placements"> & { readonly now: () => number; readonly log: Log };
type Taken = { readonly snapshot: Snapshot; readonly steps: readonly Step[]; readonly outcomes: readonly StepOutcome[] };

/** `isChanged`: a step changed something. `retryAtMs`: when the first step that failed may be tried again; undefined if none failed. */
type Noted = { readonly isChanged: boolean; readonly retryAtMs?: number };

/** If it could not be noted what failed, all of it is tried again after this long. */
const unnotedMs = 2_000;

/** Notes which steps failed, so that each is tried again with growing pauses. */
export async function noteTries(deps: Deps, fence: Fence, { snapshot, steps, outcomes }: Taken): Promise<Noted> {
  const tries = steps.flatMap((step, index) => triedOf(step, outcomes[index]));
  const isChanged = outcomes.some(({ result }) => result === "done" || result === "again");
  const before = snapshot.backOffs ?? [];
  if (before.length === 0 && tries.every(({ result }) => result === "done")) return { isChanged };
  const nowMs = deps.now();
  const backOffs = backOffsAfter(before, tries, nowMs);
  try {
    if (JSON.stringify(before) !== JSON.stringify(backOffs)) await deps.placements.backOff(fence, backOffs);
  } catch (error) {
    deps.log({ level: "error", message: "failures not noted", pool: fence.pool, epoch: fence.epoch, error });
    return { isChanged, retryAtMs: nowMs + unnotedMs };
  }
  // Whether a job shows why it waits must not cost a decision; one that is made for another reason tries again.
  const failed = new Set(steps.flatMap((step, index) => (isFailure(outcomes[index]) && step.kind !== "hold" ? subjectOf(step) : [])));
  const retriesMs = backOffs.filter(({ subject }) => failed.has(subject)).map(({ retryAtMs }) => retryAtMs);
  return { isChanged, ...(retriesMs.length > 0 && { retryAtMs: Math.min(...retriesMs) }) };
}

const isFailure = (outcome: StepOutcome | undefined): boolean => outcome?.result === "failed" || outcome?.result === "stale";

/** Returns how a step ended, or nothing if it was not tried. */
function triedOf(step: Step, outcome: StepOutcome | undefined): readonly Tried[] {
  const subject = subjectOf(step);
  switch (outcome?.result) {
    case "done":
    case "again":
    case "same":
      return [{ subject, result: "done", note: outcome.note }];
    case "stale":
    case "failed":
      return [{ subject, result: outcome.result, note: outcome.note }];
    case "later":
    case "fenced":
    case undefined:
      return [];
  }
}
