import type { WiderLimits } from "../../model/limits.ts";
import type { Pool } from "../../model/pool.ts";
import type { MemoryArtifacts } from "../memory/artifacts.ts";
import type { MemoryDatasets, MemoryShardStore } from "../memory/datasets.ts";
import type { MemoryFleet } from "../memory/fleet.ts";
import type { MemoryTable } from "../memory/table.ts";
import type { SpoiledItem } from "../memory/unreadable.ts";
import type { ProgramRun } from "./facts.ts";
import type { SimMachine } from "./machine.ts";
import type { Scenario } from "./scenario.ts";
import type { Workload } from "./workload.ts";

/** The world as a check sees it. Checks must not change it. */
export type WorldView = {
  readonly nowMs: number;
  readonly scenario: Scenario;
  readonly pools: readonly Pool[];
  readonly limits: WiderLimits;
  readonly table: MemoryTable;
  readonly fleet: MemoryFleet;
  readonly artifacts: MemoryArtifacts;
  readonly datasets: MemoryDatasets;
  readonly store: MemoryShardStore;
  /** The item that cannot be read; undefined for none. */
  readonly unreadable: SpoiledItem | undefined;
  /** The number of messages that were given up and not redriven. */
  readonly deadLetters: number;
  readonly workload: Workload;
  /** Returns the programs of all machines that make progress now. */
  readonly running: () => readonly ProgramRun[];
  /** Returns the machine of an instance; undefined if it never booted. */
  readonly machine: (instance: string) => Pick<SimMachine, "crashes" | "hungSinceMs" | "unreachableSinceMs"> | undefined;
};
