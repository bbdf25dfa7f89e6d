import type { Placements } from "../../../ports/pool-ledger.ts";
import type { TableAccess } from "../access.ts";
import { learnedItem } from "../items/learned-item.ts";
import { createFencedWriter } from "./fenced-write.ts";
import { createJobPlacements } from "./place-jobs.ts";
import { createLaunchPlacements } from "./place-launches.ts";
import { createNodePlacements } from "./place-nodes.ts";

export function createPlacements(access: TableAccess): Placements {
  const writer = createFencedWriter(access);
  return {
    async learn(fence, learned) {
      const outcome = await writer.write(fence, [{ kind: "put", item: learnedItem(fence.pool, learned), when: [] }]);
      return outcome === "fenced" ? "fenced" : "done";
    },
    ...createJobPlacements(access, writer),
    ...createLaunchPlacements(access, writer),
    ...createNodePlacements(access, writer),
  };
}
