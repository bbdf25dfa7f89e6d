import { expect } from "vitest";
import { isOn } from "../../../lib/model/job.ts";
import { isLive, type Node } from "../../../lib/model/node.ts";
import type { World } from "./world.ts";

/** Checks that EC2, the nodes, the reservation, the jobs and the queue are consistent. */
export function expectOneTruth(world: World): void {
  const { fleet, ledger, nodes } = world;
  // A drained node works on until its time is up.
  const isThere = (node: Node): boolean => isLive(node) || node.state === "draining";
  const live = fleet.live.map((instance) => instance.id).sort();
  expect(live, "live instances are the nodes in the ledger").toEqual(
    nodes
      .filter(isThere)
      .map((node) => node.id)
      .sort(),
  );
  const reserved = nodes.filter(isThere).reduce((usd, node) => usd + node.offer.usdPerHour, 0);
  expect(world.reserved.usdPerHour, "reserved is the nodes' sum").toBeCloseTo(reserved, 6);
  expect(world.reserved.gpus).toBe(nodes.filter(isThere).reduce((gpus, node) => gpus + node.type.resources.gpus, 0));
  expect(ledger.table.openLaunches.size, "no launch is open").toBe(0);
  for (const job of ledger.table.jobs.values()) {
    // An attempt that only uploads may be an earlier one of its job.
    const holders = [...ledger.table.nodes.values()]
      .map(({ node }) => node)
      .filter((node) =>
        node.assignments.some(
          (held) => held.job === job.job && (held.phase !== "uploading" || (held.attempt === job.attempt && isOn(job, node.id))),
        ),
      )
      .map((node) => node.id)
      .sort();
    expect(holders, `nodes that hold ${job.job}, which is ${job.state}`).toEqual([...(job.gang ?? [job.node ?? []].flat())].sort());
    expect(ledger.table.queue.has(`vision/${job.job}`), `${job.job} waits`).toBe(job.state === "queued");
  }
}
