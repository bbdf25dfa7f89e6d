import { bugNamed } from "../../sim/bugs.ts";
import { chaos } from "../../sim/chaos.ts";
import type { FaultKind } from "../../sim/faults/faults.ts";
import { readSites } from "../../sim/faults/sites.ts";
import type { Tally } from "../../sim/tally.ts";
import type { Scenario } from "../../sim/world/scenario.ts";

/** Some runs for one thread, as plain data. */
export type ChaosJob = {
  readonly scenario: Scenario;
  readonly first: number;
  readonly step: number;
  readonly runs: number;
  readonly only?: readonly FaultKind[] | undefined;
  readonly bug?: string | undefined;
};

/** All of a run that waits for the clock is waiting when the event loop comes round. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** The seeds of one job, one after the other. */
export function runJob(job: ChaosJob, goesOn: (tally: Tally) => boolean): Promise<Tally> {
  const { scenario, first, step, runs, only, bug } = job;
  return chaos({
    scenario,
    seeds: Array.from({ length: runs }, (_, n) => first + n * step),
    sites: readSites(),
    only: only && new Set(only),
    plant: bug === undefined ? undefined : bugNamed(bug)?.plant,
    settled,
    goesOn,
  });
}
