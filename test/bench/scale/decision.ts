/**
 * Makes one decision as `place` does, with the real client: loads the pool, decides, and compresses the record. It runs as a bundle, as
 * functions do. `process.argv[2]` is the table's port, `[3]` the pool's limit of GPUs, and `[4]` a file with the table's responses, or
 * undefined to call the table. Prints what it took as JSON.
 */
import { documentClient } from "../../../lib/aws/clients/document-client.ts";
import { compressed } from "../../../lib/aws/decisions/journal.ts";
import { createDecisions } from "../../../lib/aws/table/pools/decisions.ts";
import { decide } from "../../../lib/decide/decide.ts";
import { loadPool } from "../../../lib/flows/pool/load-pool.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import { cannedResponses } from "./canned.ts";
import { nowMs } from "./contents.ts";

const credentials = { accessKeyId: "AKIABENCH", secretAccessKey: "bench" };
const endpoint = `http://127.0.0.1:${process.argv[2]}`;
const client = documentClient({ region: "us-east-1", endpoint, credentials });
const canned = process.argv[4] === undefined ? undefined : cannedResponses(process.argv[4], endpoint);
if (canned) client.config.requestHandler = canned.handler as never;
const decisions = createDecisions({ client, table: "fleet" });
const pool: Pool = {
  name: "gpu",
  families: ["p4d", "g5", "g6", "g6e"],
  markets: ["spot", "on-demand"],
  limits: { usdPerHour: 1e6, gpus: Number(process.argv[3]) },
  idleSeconds: 300,
  bootSeconds: 600,
  silentSeconds: 1_800,
  islandHours: 24,
  drainSeconds: 600,
  disruption: { share: 0.1 },
  maxLosses: 3,
  maxQueuedJobs: 50_000,
  shared: true,
  teams: [],
  containers: true,
  fallbackSeconds: 300,
};

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const startedSeconds = cpuSeconds();
const { reservedWider, ...seen } = await loadPool({ decisions }, "gpu", nowMs);
const loadedSeconds = cpuSeconds();
const snapshot = { nowMs, pool, wider: { limits: { teams: {} }, reserved: reservedWider }, ...seen };
const plan = decide(snapshot);
const decidedSeconds = cpuSeconds();
const record = await compressed({ snapshot, plan });
const recordedSeconds = cpuSeconds();
canned?.save();
const begun = plan.steps.filter(({ kind }) => kind === "bind" || kind === "launch");
console.log(
  JSON.stringify({
    load: loadedSeconds - startedSeconds,
    decide: decidedSeconds - loadedSeconds,
    record: recordedSeconds - decidedSeconds,
    total: recordedSeconds - startedSeconds,
    maxRssMiB: process.resourceUsage().maxRSS / 1024,
    recordMiB: record.byteLength / 2 ** 20,
    read: seen.queue.length,
    waiting: seen.queued,
    steps: plan.steps.length,
    begun: begun.length,
    others: begun.filter((step) => JSON.stringify(step).includes('"runnable"')).length,
  }),
);
