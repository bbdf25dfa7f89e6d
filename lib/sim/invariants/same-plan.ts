import { decide } from "../../decide/decide.ts";
import type { Snapshot } from "../../model/plan.ts";
import type { Invariant } from "./invariant.ts";

/** 8: a recorded decision can be repeated. */
export const samePlan: Invariant = {
  number: 8,
  name: "the same snapshot gives the same plan",
  says: "The same snapshot, seed, learned statistics and step counts give the same plan, byte for byte.",
  watch: () => {
    let large = 0;
    return {
      on: (fact) => {
        if (fact.kind !== "decided") return undefined;
        const { snapshot, plan, id } = fact.decision;
        if (snapshot.queue.length > manyEntries && large++ % checkedOfLarge > 0) return undefined;
        const made = JSON.stringify(plan);
        if (JSON.stringify(decide(snapshot)) !== made) return `decision ${id} gives another plan when it is repeated; it was ${made}`;
        return JSON.stringify(decide(turned(snapshot))) === made
          ? undefined
          : `decision ${id} depends on the order in which its snapshot is listed`;
      },
    };
  },
};

/** Decisions about more entries than this take most of a run's time, so only some of them are repeated. */
const manyEntries = 1_000;
const checkedOfLarge = 20;

/** Returns the same snapshot with all lists reversed. */
const turned = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  queue: snapshot.queue.toReversed(),
  nodes: snapshot.nodes.toReversed(),
  openLaunches: snapshot.openLaunches.toReversed(),
  refusals: snapshot.refusals.toReversed(),
  ...(snapshot.catalogue ? { catalogue: { ...snapshot.catalogue, offers: snapshot.catalogue.offers.toReversed() } } : {}),
});
