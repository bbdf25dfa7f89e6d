import type { SimPorts } from "./faults/ports.ts";
import type { Invariant } from "./invariants/invariant.ts";
import type { World } from "./world/world.ts";

/** A bug that can be planted in a world, to check that the kit finds it. */
export type Bug = {
  readonly name: string;
  readonly breaks: Invariant["number"];
  readonly says: string;
  readonly plant: (ports: SimPorts, world: World) => Partial<SimPorts>;
  /** Changes to the standard scenario that give the bug an opportunity. */
  readonly scenario?: Record<string, unknown>;
};
