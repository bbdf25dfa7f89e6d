import { isLive, type Node } from "../../model/node.ts";
import type { Pool } from "../../model/pool.ts";

/** Returns how many more nodes with work may be drained now. Nodes that EC2 takes back do not count, because that is not our choice. */
export function roomToDisrupt(nodes: readonly Node[], { disruption }: Pick<Pool, "disruption">): number {
  const there = nodes.filter((node) => isLive(node) || node.state === "draining");
  const most = "nodes" in disruption ? disruption.nodes : Math.max(1, Math.floor(disruption.share * there.length));
  return most - there.filter((node) => node.drain !== undefined && node.assignments.length > 0).length;
}
