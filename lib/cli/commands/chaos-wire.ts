import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutageOf } from "../../local/outages.ts";
import { runOutage } from "../chaos-wire/outage-run.ts";
import { wireLines, wireReport } from "../chaos-wire/report.ts";
import { inTurn, runWire } from "../chaos-wire/run.ts";
import { reallyWaited } from "../chaos-wire/stage.ts";
import { firstTick } from "../demo/first-tick.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { cloudFolder } from "../invocation/folders.ts";
import { connectLocal } from "../session/connection.ts";
import { withLocalCloud } from "../session/local-session.ts";
import type { Console } from "../terminal/console.ts";
import { duration } from "../terminal/duration.ts";
import type { ChaosCommandOptions } from "./chaos.ts";

/** An EC2 with late events, instances that are unknown at first, and slow responses. */
const ec2 = { eventDelayMs: { min: 0, max: 1_500 }, describeLagMs: { min: 0, max: 1_500 }, answerMs: { min: 0, max: 150 } };
/** The scenarios that run on a local cloud, with what is out of reach for a while. By default, there are small faults instead. */
const outages: ReadonlyMap<string, OutageOf> = new Map([
  ["outage", "functions"],
  ["outage-table", "table"],
]);
const usualSeed = 1;
const usualRuns = 1;

/** Starts a local cloud and does chaos runs on it, one after the other. */
export async function chaosWire(options: Partial<ChaosCommandOptions>, console: Console): Promise<number> {
  for (const name of ["only", "threads", "plant", "list"] as const)
    if (options[name] !== undefined) throw new UsageError(`--${name} works only in virtual time; omit it or --wire`);
  const { scenario } = options;
  const out = scenario === undefined ? undefined : outages.get(scenario);
  if (scenario !== undefined && !out)
    throw new UsageError(`there is no scenario ${scenario} for --wire; there are: ${[...outages.keys()].join(", ")}`);
  const { seed: first = usualSeed, runs: runCount = usualRuns } = options;
  const startedMs = performance.now();
  const sofar = (): string => duration(Math.floor((performance.now() - startedMs) / 1_000) * 1_000);
  const inCloud = (folder: string) =>
    withLocalCloud({ folder: cloudFolder, log: console.progress, ec2 }, async (cloud, { signal }) => {
      const connection = await connectLocal(cloud.deployment.name, cloud.endpoint);
      await firstTick(cloud);
      return inTurn({ first, runs: runCount, signal }, (seed, nth) => {
        console.progress(`run ${nth} of ${runCount} … ${sofar()}`);
        const show = out ? console.note : console.progress;
        const print = (line: string): void => show(`run ${nth} of ${runCount}: ${line} … ${sofar()}`);
        const stage = { cloud, connection, folder, print, stop: signal, waited: reallyWaited, nowMs: () => Date.now() };
        return out ? runOutage(stage, seed, out) : runWire(stage, seed);
      });
    });
  const outcome = await inFolder(inCloud);
  console.progress(undefined);
  if (outcome === "interrupted") {
    console.note("interrupted; everything that was started has been ended");
    return exitCodes.interrupted;
  }
  const seeds = { first, last: first + runCount - 1 };
  const report = wireReport(outcome, { scenario, seeds, wallMs: performance.now() - startedMs });
  if (options.json) console.out(JSON.stringify(report));
  else for (const line of wireLines(report, console.paint)) console.out(line);
  return report.violations > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Deletes the folder only after `work` has ended all programs that write into it. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-chaos-wire-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
