import { gpusText } from "../../../lib/aws/table/items/heartbeat-item.ts";
import { nodeItem } from "../../../lib/aws/table/items/node-item.ts";
import { queueItem } from "../../../lib/aws/table/items/queue-item.ts";
import { heartbeatKey, queueOfTeamKey } from "../../../lib/aws/table/keys.ts";
import type { QueueEntry } from "../../../lib/model/job.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Catalogue, InstanceType } from "../../../lib/model/offer.ts";

/** Monday, 1 June 2026. */
export const nowMs = Date.UTC(2026, 5, 1);
export const teams = ["nlp", "speech", "vision"];

/** `crafted`: jobs of one team, each with GPU models of its own that are for sale nowhere, and with the longest list of datasets. */
export type Contents = { readonly queued: number; readonly nodes: number; readonly crafted: boolean };

const sizes = ["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"];
const typesOf = (family: string, model: string): InstanceType[] =>
  sizes.map((size, n) => ({
    name: `${family}.${size}`,
    resources: { vcpus: 4 * 2 ** n - 0.2, memoryGiB: 16 * 2 ** n * 0.92, gpus: n === 7 ? 8 : n >= 4 ? 4 : 1 },
    gpu: { model, memoryGiB: 22.35 },
  }));
const full: InstanceType = {
  name: "p4d.24xlarge",
  resources: { vcpus: 95.8, memoryGiB: 1059.84, gpus: 8 },
  gpu: { model: "A100", memoryGiB: 40 },
};
const types = [full, ...typesOf("g5", "A10G"), ...typesOf("g6", "L4"), ...typesOf("g6e", "L40S")];

/** 25 types in three zones and two markets. */
export const catalogue: Catalogue = {
  types,
  offers: types.flatMap((type) =>
    ["us-east-1a", "us-east-1b", "us-east-1c"].flatMap((zone) =>
      (["spot", "on-demand"] as const).map((market) => ({
        instanceType: type.name,
        zone,
        market,
        usdPerHour: (type.resources.vcpus / 10) * (market === "spot" ? 0.4 : 1),
      })),
    ),
  ),
  refreshedAtMs: nowMs,
};

const idOf = (n: number): string => n.toString(16).padStart(17, "0");
const nameOf = (n: number): string => `${idOf(n)}-4c1f-9a2e-1d83`;
const reason = "pool gpu is at its limit of $1000000/h and 40000 GPUs; the job starts when other work ends or the limit is raised";

function usual(n: number): QueueEntry {
  const needs = { vcpus: 2 + (n % 5), memoryGiB: 8 + (n % 7) * 8, gpus: 1 + (n % 3) };
  return { ...entryOf(teams[n % 3] as string, n), needs, gpu: { memoryGiB: 0, models: [] }, datasets: [], reason };
}

function crafted(n: number): QueueEntry {
  const models = Array.from({ length: 19 }, (_, k) => `${n.toString(36)}-${k}-`.padEnd(40, "x"));
  const datasets = Array.from({ length: 20 }, (_, k) => ({ name: `d${k}-`.padEnd(63, "x"), share: "whole" as const }));
  const needs = { vcpus: 2, memoryGiB: 8, gpus: 1 };
  return { ...entryOf("nlp", n), priority: 1_000, needs, gpu: { memoryGiB: 0, models: ["A10G", ...models] }, datasets };
}

const entryOf = (team: string, n: number) => ({
  team,
  job: nameOf(n),
  attempt: 1,
  priority: 0,
  submittedAtMs: nowMs - 10_000_000 + n,
  spot: true,
  nodes: 1,
  zones: [],
});

/** Returns a node whose eight GPUs run a job each. */
function nodeOf(n: number): Node {
  return {
    id: `i-${idOf(n)}`,
    pool: "gpu",
    launch: nameOf(n + 1_000_000),
    offer: { instanceType: full.name, zone: "us-east-1a", market: "spot", usdPerHour: 10 },
    type: full,
    state: "ready",
    launchedAtMs: nowMs - 5_000_000,
    readyAtMs: nowMs - 4_000_000,
    lastBusyMs: nowMs - 1_000_000,
    stateSinceMs: nowMs - 4_000_000,
    assignments: Array.from({ length: 8 }, (_, g) => ({
      team: "vision",
      job: nameOf(n * 8 + g + 2_000_000),
      attempt: 1,
      needs: { vcpus: 2, memoryGiB: 8, gpus: 1 },
      gpu: { memoryGiB: 0, models: [] },
      spot: true,
      nodes: 1,
      zones: [],
      datasets: [],
      phase: "running" as const,
      process: nameOf(n),
    })),
  };
}

/** Returns the heartbeat of the same node, as the write of a call leaves it. */
function heartbeatOf(n: number): Record<string, unknown> {
  const gpus = Array.from({ length: 8 }, (_, index) => ({
    index,
    model: "NVIDIA A100-SXM4-40GB",
    utilizationPercent: 97,
    memoryUsedMiB: 39_000,
    memoryTotalMiB: 40_960,
    powerWatts: 388.4,
    temperatureC: 61,
    eccUncorrected: 0,
  }));
  const beat = { call: 1_000_000_000 + n, lastSeenMs: nowMs - 3_000, address: "10.1.2.3" };
  const stored = { ...beat, gpus: gpusText(gpus), gpusAtMs: nowMs - 3_000, gpusBusyAtMs: nowMs - 3_000 };
  return { ...heartbeatKey("gpu", `i-${idOf(n)}`), session: 1, ...stored };
}

/** Returns the items of the pool `gpu`, one after the other. */
export function* itemsOf({ queued, nodes, crafted: isCrafted }: Contents): Generator<Record<string, unknown>> {
  for (const team of teams) yield { ...queueOfTeamKey("gpu", team), queued: Math.ceil(queued / teams.length) };
  for (let n = 0; n < queued; n += 1) yield queueItem("gpu", isCrafted ? crafted(n) : usual(n));
  if (isCrafted) yield queueItem("gpu", { ...usual(0), team: "speech", job: "runnable" });
  for (let n = 0; n < nodes; n += 1) {
    yield nodeItem(nodeOf(n));
    yield heartbeatOf(n);
  }
}
