import pMap from "p-map";
import { maxAtOnce, type TerminateOutcome } from "../../ports/fleet.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import type { LaunchDeps } from "./launching.ts";
import type { LostDeps } from "./lost-nodes.ts";
import { failedBy, fencedOff, type StepOutcome, throttledBy, waitsForTurn } from "./outcome.ts";
import type { RateLimiter } from "./rate-limiter.ts";

export type EndDeps = Pick<LaunchDeps, "decisions" | "placements" | "fleet" | "now"> &
  Pick<LostDeps, "log" | "measured"> & { readonly rateLimiter: RateLimiter };

/** Calls that run at the same time. */
const concurrency = 4;

/**
 * Asks EC2 to end these instances, in few calls: each waits for its turn, and the epoch is read again right before it.
 * Returns an outcome for each instance whose end EC2 has not accepted. One bad instance does not keep the others alive.
 */
export async function requestEnds(deps: EndDeps, fence: Fence, instances: readonly string[]): Promise<ReadonlyMap<string, StepOutcome>> {
  const notRequested = new Map<string, StepOutcome>();
  const put = (id: string, outcome: StepOutcome | undefined): void => void (outcome && notRequested.set(id, outcome));
  const all = (ids: readonly string[], outcome: StepOutcome): void => {
    for (const id of ids) put(id, outcome);
  };
  const request = async (ids: readonly string[]): Promise<void> => {
    try {
      await requestOnce(ids);
    } catch (error) {
      all(ids, failedBy(error));
    }
  };
  const requestOnce = async (ids: readonly string[]): Promise<void> => {
    const grant = await deps.rateLimiter.acquire({ kind: "terminate", priority: "end", instances: ids.length });
    if (grant.kind === "later") return all(ids, waitsForTurn(grant));
    if (!(await deps.decisions.isCurrent(fence))) return all(ids, fencedOff);
    const ended = await deps.fleet.terminate(ids);
    for (const id of ids) put(id, refusalOf(ended.get(id) ?? "unknown"));
    const those = (what: string): string[] => ids.filter((id) => ended.get(id) === what);
    const throttled = those("throttled");
    if (throttled.length > 0) all(throttled, throttledBy(await deps.rateLimiter.throttled("terminate")));
    const apart = those("apart");
    // Retries without the instances that EC2 named. If it named none, all must be retried in smaller calls.
    for (const part of apart.length < ids.length ? parts(apart, maxAtOnce) : parts(apart, Math.ceil(ids.length / 2))) await request(part);
  };
  await pMap(parts(instances, maxAtOnce), request, { concurrency });
  return notRequested;
}

/** Returns why EC2 does not end an instance, if there is nothing else to try now. */
function refusalOf(outcome: TerminateOutcome): StepOutcome | undefined {
  if (typeof outcome === "object") return { result: "failed", note: `EC2 refuses to end it: ${outcome.refused}` };
  switch (outcome) {
    case "unknown":
      return { result: "failed", note: "EC2 did not respond" };
    case "denied":
      return { result: "failed", note: "not allowed to terminate it" };
    case "accepted":
    case "apart":
    case "throttled":
      return undefined;
  }
}

/** Splits ids into parts of at most `size`, in order. */
export const parts = (ids: readonly string[], size: number): string[][] =>
  Array.from({ length: Math.ceil(ids.length / size) }, (_, n) => ids.slice(n * size, (n + 1) * size));
