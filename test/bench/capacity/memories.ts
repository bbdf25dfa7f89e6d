import { capacityView } from "../../../lib/decide/capacity/capacity-view.ts";
import { halfOpenProbe, statusOf } from "../../../lib/decide/capacity/cooldown.ts";
import { refusalUpdatesOf } from "../../../lib/decide/capacity/refusal-updates.ts";
import type { Launch, LaunchOutcome } from "../../../lib/model/launch.ts";
import { type Offer, offerName } from "../../../lib/model/offer.ts";
import { type Refusal, subjectName } from "../../../lib/model/refusal.ts";

/** What is known of refusals, and how it is learned. */
export type Memory = {
  seenBy(pool: string): readonly Refusal[];
  /** Returns the offers of a launch that may be requested. */
  claim(launch: Launch, seen: { refusals: readonly Refusal[]; nowMs: number }): readonly Offer[];
  learn(launch: Launch, outcome: Extract<LaunchOutcome, { kind: "launched" | "refused" }>, nowMs: number): void;
};

/** Returns the product's own memory. */
export function learned(): Memory {
  const known = new Map<string, Refusal>();
  return {
    seenBy: () => [...known.values()],
    claim(launch, { refusals, nowMs }) {
      const seen = capacityView(refusals, nowMs);
      return launch.offers.filter((offer) => {
        const type = launch.types.find(({ name }) => name === offer.instanceType);
        const against = type ? seen.against({ offer, type, count: 1 }) : [];
        return against.every((refusal) => {
          const now = known.get(subjectName(refusal));
          const mine = halfOpenProbe(now, nowMs);
          if (mine) known.set(subjectName(refusal), mine);
          return mine !== undefined || !now || statusOf(now, nowMs) === "free";
        });
      });
    },
    learn(launch, outcome, nowMs) {
      for (const { subject, next } of refusalUpdatesOf(launch, outcome, nowMs)) {
        const after = next(known.get(subjectName(subject)));
        if (after) known.set(subjectName(subject), after);
        else known.delete(subjectName(subject));
      }
    },
  };
}

/**
 * Returns a memory in which a refused offer rests for a fixed time, in its own pool or in all pools. After that, nothing is remembered.
 * Karpenter uses three minutes: github.com/aws/karpenter-provider-aws, pkg/cache/cache.go, `UnavailableOfferingsTTL`.
 */
export function flat({ restMs, shared }: { restMs: number; shared: boolean }): Memory {
  const known = new Map<string, Map<string, Refusal>>();
  const scope = (pool: string): string => (shared ? "all" : pool);
  return {
    seenBy: (pool) => [...(known.get(scope(pool))?.values() ?? [])],
    claim: (launch) => launch.offers,
    learn(launch, outcome, nowMs) {
      const mine = known.get(scope(launch.pool)) ?? new Map<string, Refusal>();
      known.set(scope(launch.pool), mine);
      for (const { code, ...offer } of outcome.refusals) {
        // Without evidence, nothing is remembered after the rest.
        const rest = { code, least: 1, evidence: 0, atMs: nowMs, sinceMs: nowMs, untilMs: nowMs + restMs, launch: launch.id };
        mine.set(offerName(offer), { instanceType: offer.instanceType, zone: offer.zone, market: offer.market, why: "capacity", ...rest });
      }
    },
  };
}
