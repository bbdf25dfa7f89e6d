import type { Placements } from "../../../ports/pool-ledger.ts";
import type { TableAccess } from "../access.ts";
import { backOffsItem } from "../items/back-offs-item.ts";
import { learnedItem } from "../items/learned-item.ts";
import { createFirstAttempt } from "./attempt-numbers.ts";
import { createFencedWriter } from "./fenced-write.ts";
import { createJobPlacements } from "./place-jobs.ts";
import { createLaunchPlacements } from "./place-launches.ts";
import { createNodePlacements } from "./place-nodes.ts";

/** `now`: the time in ms, which limits how long facts about the table itself are remembered. */
export function createPlacements(access: TableAccess, now: () => number): Placements {
  const writer = createFencedWriter(access);
  return {
    async learn(fence, learned) {
      const outcome = await writer.write(fence, [{ kind: "put", item: learnedItem(fence.pool, learned), when: [] }]);
      return outcome === "fenced" ? "fenced" : "done";
    },
    async backOff(fence, backOffs) {
      const outcome = await writer.write(fence, [{ kind: "put", item: backOffsItem(fence.pool, backOffs), when: [] }]);
      return outcome === "fenced" ? "fenced" : "done";
    },
    ...createJobPlacements(access, writer, createFirstAttempt(access, now)),
    ...createLaunchPlacements(access, writer),
    ...createNodePlacements(access, writer),
  };
}
