import { lessonsOf } from "../../../lib/decide/capacity/lessons.ts";
import { outlook } from "../../../lib/decide/capacity/outlook.ts";
import { probed, standing } from "../../../lib/decide/capacity/rest.ts";
import type { Launch, LaunchOutcome } from "../../../lib/model/launch.ts";
import { type Offer, offerName } from "../../../lib/model/offer.ts";
import { type Refusal, subjectName } from "../../../lib/model/refusal.ts";

/** What is known of refusals, and how it comes to be known. */
export type Memory = {
  seenBy(pool: string): readonly Refusal[];
  /** Which of a launch's offers may be asked for. */
  claim(launch: Launch, seen: { refusals: readonly Refusal[]; nowMs: number }): readonly Offer[];
  learn(launch: Launch, outcome: Extract<LaunchOutcome, { kind: "launched" | "refused" }>, nowMs: number): void;
};

/** The product's own. */
export function learned(): Memory {
  const known = new Map<string, Refusal>();
  return {
    seenBy: () => [...known.values()],
    claim(launch, { refusals, nowMs }) {
      const seen = outlook(refusals, nowMs);
      return launch.offers.filter((offer) => {
        const type = launch.types.find(({ name }) => name === offer.instanceType);
        const against = type ? seen.against({ offer, type, count: 1 }) : [];
        return against.every((refusal) => {
          const now = known.get(subjectName(refusal));
          const mine = probed(now, nowMs);
          if (mine) known.set(subjectName(refusal), mine);
          return mine !== undefined || !now || standing(now, nowMs) === "free";
        });
      });
    },
    learn(launch, outcome, nowMs) {
      for (const { subject, next } of lessonsOf(launch, outcome, nowMs)) {
        const after = next(known.get(subjectName(subject)));
        if (after) known.set(subjectName(subject), after);
        else known.delete(subjectName(subject));
      }
    },
  };
}

/**
 * Each offer that was refused rests for so long, in its own pool or in all, and is then as if nothing had been.
 * Three minutes is Karpenter's: github.com/aws/karpenter-provider-aws, pkg/cache/cache.go, `UnavailableOfferingsTTL`.
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
        // No evidence: when the rest is over, nothing is remembered.
        const rest = { code, least: 1, evidence: 0, atMs: nowMs, sinceMs: nowMs, untilMs: nowMs + restMs, launch: launch.id };
        mine.set(offerName(offer), { instanceType: offer.instanceType, zone: offer.zone, market: offer.market, why: "capacity", ...rest });
      }
    },
  };
}
