import { parentPort, workerData } from "node:worker_threads";
import type { Tally } from "../../sim/tally.ts";
import { type ChaosJob, runJob } from "./job.ts";

/** What a thread says: how far it is, and at last what came of its runs. */
export type Said = { readonly kind: "far"; readonly tally: Tally } | { readonly kind: "done"; readonly tally: Tally };

const say = (said: Said): void => parentPort?.postMessage(said);
const job: ChaosJob = workerData;
let isStopped = false;
parentPort?.once("message", () => {
  isStopped = true;
});
const tally = await runJob(job, (sofar) => {
  if (sofar.runs % 10 === 0) say({ kind: "far", tally: sofar });
  return !isStopped;
});
say({ kind: "done", tally });
parentPort?.close();
