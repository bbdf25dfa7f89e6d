import type { Invariant } from "./invariant.ts";

/** The handlers that may run at rest: the clock's, once per minute. */
const ordinary: ReadonlySet<string> = new Set(["tick"]);

/** 9: a pool that has nothing to do does nothing. */
export const zero: Invariant = {
  number: 9,
  name: "zero is zero",
  says: "A fleet that is scaled to zero has no instances and runs no polling loop.",
  watch: (seen) => {
    let resting: Map<string, number> | undefined;
    return {
      on: (fact) => {
        if (resting && fact.kind === "invoked" && !ordinary.has(fact.handler))
          resting.set(fact.handler, (resting.get(fact.handler) ?? 0) + 1);
        if (resting && fact.kind === "instance") return `${fact.id} was launched although no job waits`;
        return undefined;
      },
      atRest: () => {
        resting = new Map();
        return undefined;
      },
      afterRest: () => {
        const { fleet } = seen();
        if (fleet.live.length > 0) return `${fleet.live.length} instances are live although no job waits`;
        // Events that were on their way when the rest began may still arrive, so a few runs are no loop.
        const loop = [...(resting ?? [])].find(([, times]) => times > 4);
        return loop && `${loop[0]} ran ${loop[1]} times in ten minutes of rest`;
      },
    };
  },
};
