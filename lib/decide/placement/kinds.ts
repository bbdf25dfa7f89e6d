import type { QueueEntry } from "../../model/job.ts";
import type { Catalogue, InstanceType, Offer } from "../../model/offer.ts";
import type { Snapshot } from "../../model/plan.ts";
import { allows, type Bought, conditionsKey } from "../../model/wants.ts";
import { placesOf } from "./bundles.ts";

/** Returns the same text for jobs of one kind. If one job of a kind cannot be placed, neither can the others. */
export type KindOf = (entry: QueueEntry) => string;

/**
 * Returns a function that gives jobs the same kind if and only if they are of one team, need the same, and may run on the same nodes and
 * offers of the pool and of those that its jobs may move to. What they write does not matter: a GPU model that is not for sale makes no
 * kind of its own.
 */
export function kindsIn({ catalogue, nodes, next = [] }: Pick<Snapshot, "catalogue" | "nodes" | "next">): KindOf {
  const sold = [catalogue, ...next.map((other) => other.catalogue)].flatMap(soldIn);
  const places = new Map([...sold, ...nodes].map(({ offer, type }) => [placeName(offer, type), { offer, type }]));
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

/** Types of one name may differ between catalogues that were fetched at different times. */
const placeName = ({ zone, market }: Offer, { name, gpu }: InstanceType): string =>
  `${name} ${gpu?.model ?? ""} ${gpu?.memoryGiB ?? 0} ${zone} ${market}`;

function soldIn(catalogue: Catalogue | undefined): readonly Bought[] {
  const types = new Map((catalogue?.types ?? []).map((type) => [type.name, type]));
  return (catalogue?.offers ?? []).flatMap((offer) => {
    const type = types.get(offer.instanceType);
    return type ? [{ offer, type }] : [];
  });
}
