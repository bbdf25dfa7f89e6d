import pMap from "p-map";
import { capacityView } from "../../decide/capacity/capacity-view.ts";
import { halfOpenProbe, statusOf } from "../../decide/capacity/cooldown.ts";
import type { RefusalUpdate } from "../../decide/capacity/refusal-updates.ts";
import type { Launch } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";
import type { Snapshot } from "../../model/plan.ts";
import { type Refusal, subjectName } from "../../model/refusal.ts";
import type { CapacityMemory } from "../../ports/capacity.ts";

/** Subjects of one launch that are written at the same time. */
const concurrency = 8;

/** Records what a response of EC2 taught. This should happen before anything else, because it is true even for a fenced decision. */
export const learn = async (memory: CapacityMemory, updates: readonly RefusalUpdate[]): Promise<void> => {
  await pMap(updates, ({ subject, next }) => memory.change(subject, next), { concurrency });
};

/**
 * Claims the right to try offers after their rest, for a launch that is about to be requested. Returns the offers that it may
 * name: those without a refusal, and those that no other launch is trying now.
 */
export async function claimProbes(
  memory: CapacityMemory,
  { launch, snapshot, atMs }: { launch: Pick<Launch, "offers" | "types" | "count" | "whole">; snapshot: Snapshot; atMs: number },
): Promise<Launch["offers"]> {
  const seen = capacityView(snapshot.refusals, snapshot.nowMs);
  const types = new Map(launch.types.map((type) => [type.name, type]));
  const count = launch.whole ? launch.count : 1;
  const against = new Map(
    launch.offers.map((offer) => {
      const type = types.get(offer.instanceType);
      return [offerName(offer), type ? seen.against({ offer, type, count }) : []];
    }),
  );
  const subjects = new Map([...against.values()].flat().map((refusal) => [subjectName(refusal), refusal]));
  if (subjects.size === 0) return launch.offers;
  const mine = new Set<string>();
  const claim = async ([name, subject]: readonly [string, Refusal]): Promise<void> => {
    let may = false;
    await memory.change(subject, (known) => {
      const claimed = halfOpenProbe(known, atMs);
      // Another launch may have succeeded meanwhile.
      may = claimed !== undefined || known === undefined || statusOf(known, atMs) === "free";
      return claimed ?? known;
    });
    if (may) mine.add(name);
  };
  await pMap(subjects, claim, { concurrency });
  return launch.offers.filter((offer) => (against.get(offerName(offer)) ?? []).every((refusal) => mine.has(subjectName(refusal))));
}
