import pMap from "p-map";
import type { Lesson } from "../../decide/capacity/lessons.ts";
import { outlook } from "../../decide/capacity/outlook.ts";
import { probed, standing } from "../../decide/capacity/rest.ts";
import type { Launch } from "../../model/launch.ts";
import { offerName } from "../../model/offer.ts";
import type { Snapshot } from "../../model/plan.ts";
import { type Refusal, subjectName } from "../../model/refusal.ts";
import type { CapacityMemory } from "../../ports/capacity.ts";

/** Subjects of one launch that are written at a time. */
const concurrency = 8;

/** Puts what an answer of EC2's taught on record, before anything else that follows from it: it is true whoever decides. */
export const learn = async (memory: CapacityMemory, lessons: readonly Lesson[]): Promise<void> => {
  await pMap(lessons, ({ subject, next }) => memory.change(subject, next), { concurrency });
};

/**
 * Takes the right to try what has rested, for a launch that is about to be asked for, and answers the offers that it may
 * name: those that never were refused, and those of which nobody else is finding out just now.
 */
export async function claimProbes(
  memory: CapacityMemory,
  { launch, snapshot, atMs }: { launch: Pick<Launch, "offers" | "types" | "count" | "whole">; snapshot: Snapshot; atMs: number },
): Promise<Launch["offers"]> {
  const seen = outlook(snapshot.refusals, snapshot.nowMs);
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
      const claimed = probed(known, atMs);
      // Somebody may have found out meanwhile, and well.
      may = claimed !== undefined || known === undefined || standing(known, atMs) === "free";
      return claimed ?? known;
    });
    if (may) mine.add(name);
  };
  await pMap(subjects, claim, { concurrency });
  return launch.offers.filter((offer) => (against.get(offerName(offer)) ?? []).every((refusal) => mine.has(subjectName(refusal))));
}
