import type { WiderLimits } from "../model/limits.ts";
import type { Pool } from "../model/pool.ts";
import type { Fact, ProgramRun } from "./facts.ts";
import type { MemoryArtifacts } from "./memory/artifacts.ts";
import type { MemoryDatasets, MemoryShardStore } from "./memory/datasets.ts";
import type { MemoryFleet } from "./memory/fleet.ts";
import type { MemoryTable } from "./memory/table.ts";
import type { Workload } from "./workload.ts";

/** The world as a check may look at it; nothing is to be changed. */
export type Seen = {
  readonly nowMs: number;
  readonly pools: readonly Pool[];
  readonly limits: WiderLimits;
  readonly table: MemoryTable;
  readonly fleet: MemoryFleet;
  readonly artifacts: MemoryArtifacts;
  readonly datasets: MemoryDatasets;
  readonly store: MemoryShardStore;
  readonly workload: Workload;
  /** Programs that make progress just now, of all machines. */
  readonly running: () => readonly ProgramRun[];
};

/** What is wrong, in words; nothing when all is well. */
export type Wrong = string | undefined;

/** One of the nine things that must hold, always. */
export type Invariant = {
  readonly number: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  readonly name: string;
  /** What must hold. */
  readonly says: string;
  /** A check of one run. */
  readonly watch: (seen: () => Seen) => Watch;
};

export type Watch = {
  /** Looks at what has just happened. */
  readonly on?: (fact: Fact) => Wrong;
  /** Looks at the world when nothing is left to do. */
  readonly atRest?: () => Wrong;
  /** Looks at it once more, after ten minutes of rest. */
  readonly afterRest?: () => Wrong;
};
