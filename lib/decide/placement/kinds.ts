import type { QueueEntry } from "../../model/job.ts";
import type { Snapshot } from "../../model/plan.ts";
import { allows, conditionsKey } from "../../model/wants.ts";
import { placesOf } from "./bundles.ts";

/** Returns the same text for jobs of one kind. If one job of a kind cannot be placed, neither can the others. */
export type KindOf = (entry: QueueEntry) => string;

/**
 * Returns a function that gives jobs the same kind if and only if they are of one team, need the same, and may run on the same of the
 * pool's offers and nodes. What they write does not matter: a GPU model that is not for sale makes no kind of its own.
 */
export function kindsIn({ catalogue, nodes }: Pick<Snapshot, "catalogue" | "nodes">): KindOf {
  const types = new Map((catalogue?.types ?? []).map((type) => [type.name, type]));
  const sold = (catalogue?.offers ?? []).flatMap((offer) => {
    const type = types.get(offer.instanceType);
    return type ? [{ offer, type }] : [];
  });
  const places = new Map([...sold, ...nodes].map(({ offer, type }) => [`${type.name} ${offer.zone} ${offer.market}`, { offer, type }]));
  const classes = new Map<string, number>();
  const known = new Map<string, number>();
  const classOf = (entry: QueueEntry): number => {
    const key = conditionsKey(entry);
    const before = known.get(key);
    if (before !== undefined) return before;
    const allowed = [...places.values()].map(({ offer, type }) => (allows(entry, offer, type) ? "1" : "0")).join("");
    const number = classes.get(allowed) ?? classes.size;
    classes.set(allowed, number);
    known.set(key, number);
    return number;
  };
  return (entry) => {
    const { team, needs, nodes: count } = entry;
    return `${team} ${needs.vcpus} ${needs.memoryGiB} ${needs.gpus} ${count} ${placesOf(entry)} ${classOf(entry)}`;
  };
}
