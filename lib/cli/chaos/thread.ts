import { parentPort, workerData } from "node:worker_threads";
import { type ChaosJob, runJob, type ThreadMessage } from "./threads.ts";

const post = (message: ThreadMessage): void => parentPort?.postMessage(message);
const job: ChaosJob = workerData;
let isStopped = false;
parentPort?.once("message", () => {
  isStopped = true;
});
const tally = await runJob(job, (sofar) => {
  if (sofar.runs % 10 === 0) post({ kind: "far", tally: sofar });
  return !isStopped;
});
post({ kind: "done", tally });
parentPort?.close();
