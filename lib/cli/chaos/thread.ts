import { parentPort, workerData } from "node:worker_threads";
import { type ChaosJob, runJob, type ThreadMessage } from "./threads.ts";

const say = (said: ThreadMessage): void => parentPort?.postMessage(said);
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
