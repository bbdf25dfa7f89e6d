import { Worker } from "node:worker_threads";
import { bugNamed } from "../../sim/bugs.ts";
import { chaos } from "../../sim/chaos.ts";
import type { FaultKind } from "../../sim/faults/faults.ts";
import { readSites } from "../../sim/faults/sites.ts";
import { CpuMeter } from "../../sim/load/cpu-meter.ts";
import { nothingYet, plus, type Tally } from "../../sim/tally.ts";
import type { Scenario } from "../../sim/world/scenario.ts";

/** The runs of one thread, as plain data. */
export type ChaosJob = {
  readonly scenario: Scenario;
  readonly first: number;
  readonly step: number;
  readonly runs: number;
  readonly only?: readonly FaultKind[] | undefined;
  readonly bug?: string | undefined;
};

/** A message of a thread: its progress, and at the end the result of its runs. */
export type ThreadMessage = { readonly kind: "far"; readonly tally: Tally } | { readonly kind: "done"; readonly tally: Tally };

type Watching = { readonly signal: AbortSignal; readonly far: (tally: Tally) => void };

/** Divides the seeds among threads. If there is only one, it does all runs in this thread. After an abort, no new run begins. */
export async function runThreads(job: Omit<ChaosJob, "step">, threads: number, { signal, far }: Watching): Promise<Tally> {
  if (threads === 1) {
    return runJob({ ...job, step: 1 }, (tally) => {
      far(tally);
      return !signal.aborted;
    });
  }
  const sofar: Tally[] = Array.from({ length: threads }, () => nothingYet);
  const report = (at: number, tally: Tally): void => {
    sofar[at] = tally;
    far(sofar.reduce(plus));
  };
  const all = await Promise.all(
    sofar.map((_, at) => {
      const runs = Math.floor((job.runs + threads - 1 - at) / threads);
      return runThread({ ...job, first: job.first + at, step: threads, runs }, signal, (tally) => report(at, tally));
    }),
  );
  return all.reduce(plus);
}

function runThread(job: ChaosJob, signal: AbortSignal, far: (tally: Tally) => void): Promise<Tally> {
  const { promise, resolve, reject } = Promise.withResolvers<Tally>();
  const worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: job });
  const stop = (): void => worker.postMessage("stop");
  signal.addEventListener("abort", stop, { once: true });
  worker.on("message", (message: ThreadMessage) => (message.kind === "done" ? resolve(message.tally) : far(message.tally)));
  worker.once("error", reject);
  worker.once("exit", (code) => reject(new Error(`a thread ended with exit code ${code} and without a result`)));
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

/** Waits for the next turn of the event loop. By then, everything in a run waits for the virtual clock. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Returns the processor time that this thread has used. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Does the runs of one job, one after the other. */
export function runJob(job: ChaosJob, goesOn: (tally: Tally) => boolean): Promise<Tally> {
  const { scenario, first, step, runs, only, bug } = job;
  return chaos({
    scenario,
    seeds: Array.from({ length: runs }, (_, n) => first + n * step),
    sites: readSites(),
    only: only && new Set(only),
    plant: bug === undefined ? undefined : bugNamed(bug)?.plant,
    meter: new CpuMeter(cpuMs),
    settled,
    goesOn,
  });
}
