import type { Invariant } from "./invariant.ts";

/** What may go on at rest: the clock's once a minute. */
const ordinary: ReadonlySet<string> = new Set(["tick"]);

/** 9: a pool that has nothing to do does nothing. */
export const zero: Invariant = {
  number: 9,
  name: "zero is zero",
  says: "Scaled to zero means zero instances, and no poll loop of ours.",
  watch: (seen) => {
    let resting: Map<string, number> | undefined;
    return {
      on: (fact) => {
        if (resting && fact.kind === "invoked" && !ordinary.has(fact.handler))
          resting.set(fact.handler, (resting.get(fact.handler) ?? 0) + 1);
        if (resting && fact.kind === "instance") return `${fact.id} was launched, and no job waits`;
        return undefined;
      },
      atRest: () => {
        resting = new Map();
        return undefined;
      },
      afterRest: () => {
        const { fleet } = seen();
        if (fleet.live.length > 0) return `${fleet.live.length} instances live, and no job waits`;
        // What was on its way when all came to rest may still arrive, each once.
        const loop = [...(resting ?? [])].find(([, times]) => times > 4);
        return loop && `${loop[0]} ran ${loop[1]} times in ten minutes of rest`;
      },
    };
  },
};
