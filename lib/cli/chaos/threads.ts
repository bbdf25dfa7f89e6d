import { Worker } from "node:worker_threads";
import { nothingYet, plus, type Tally } from "../../sim/tally.ts";
import { type ChaosJob, runJob } from "./job.ts";
import type { Said } from "./thread.ts";

export type Watching = { readonly signal: AbortSignal; readonly far: (tally: Tally) => void };

/** Shares the seeds among threads; with one, everything runs here. Once aborted, the runs under way end and the rest are left. */
export async function runThreads(job: Omit<ChaosJob, "step">, threads: number, { signal, far }: Watching): Promise<Tally> {
  if (threads === 1) {
    return runJob({ ...job, step: 1 }, (tally) => {
      far(tally);
      return !signal.aborted;
    });
  }
  const sofar: Tally[] = Array.from({ length: threads }, () => nothingYet);
  const tell = (at: number, tally: Tally): void => {
    sofar[at] = tally;
    far(sofar.reduce(plus));
  };
  const all = await Promise.all(
    sofar.map((_, at) => {
      const runs = Math.floor((job.runs + threads - 1 - at) / threads);
      return runThread({ ...job, first: job.first + at, step: threads, runs }, signal, (tally) => tell(at, tally));
    }),
  );
  return all.reduce(plus);
}

function runThread(job: ChaosJob, signal: AbortSignal, far: (tally: Tally) => void): Promise<Tally> {
  const { promise, resolve, reject } = Promise.withResolvers<Tally>();
  const worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: job });
  const stop = (): void => worker.postMessage("stop");
  signal.addEventListener("abort", stop, { once: true });
  worker.on("message", (said: Said) => (said.kind === "done" ? resolve(said.tally) : far(said.tally)));
  worker.once("error", reject);
  worker.once("exit", (code) => reject(new Error(`a thread ended with ${code}, and said nothing`)));
  return promise.finally(() => signal.removeEventListener("abort", stop));
}
