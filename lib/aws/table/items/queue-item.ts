import * as z from "zod";
import type { DatasetUse } from "../../../model/dataset.ts";
import { Fault } from "../../../model/fault.ts";
import type { QueueEntry } from "../../../model/job.ts";
import type { Item } from "../access.ts";
import { type Key, placeInQueue, queueKey } from "../keys.ts";
import { stored } from "../stored.ts";

/** Names are short because a decision reads thousands of these: 300 bytes at most, but for a long reason or list of models. */
const StoredEntry = z.object({
  sk: z.string(),
  /** attempt */
  a: z.int().min(1),
  /** vCPUs, memory (GiB), GPUs */
  v: z.number(),
  m: z.number(),
  g: z.number(),
  /** memory of each GPU (GiB), models */
  gm: z.number().default(0),
  gn: z.array(z.string()).default([]),
  /** may run on spot */
  s: z.boolean(),
  /** nodes */
  n: z.int().min(2).optional(),
  /** datasets, whole and part */
  dw: z.array(z.string()).optional(),
  dp: z.array(z.string()).optional(),
  /** reason */
  r: z.string().optional(),
});

export function queueItem(pool: string, entry: QueueEntry): Key & Item {
  const { needs, gpu } = entry;
  return {
    ...queueKey({ pool, ...entry }),
    a: entry.attempt,
    v: needs.vcpus,
    m: needs.memoryGiB,
    g: needs.gpus,
    gm: gpu.memoryGiB > 0 ? gpu.memoryGiB : undefined,
    gn: gpu.models.length > 0 ? gpu.models : undefined,
    s: entry.spot,
    n: entry.nodes > 1 ? entry.nodes : undefined,
    dw: datasetsOf(entry, "whole"),
    dp: datasetsOf(entry, "part"),
    r: entry.reason,
  };
}

export function entryOf(item: Item): QueueEntry {
  const { sk, a, v, m, g, gm, gn, s, n, dw, dp, r } = stored(StoredEntry, item);
  const place = placeInQueue(sk);
  if (!place) throw new Fault("broken-item", `the item ${String(item["pk"])} ${sk} is broken: sk: is no place in a queue`);
  return {
    ...place,
    attempt: a,
    needs: { vcpus: v, memoryGiB: m, gpus: g },
    gpu: { memoryGiB: gm, models: gn },
    spot: s,
    nodes: n ?? 1,
    datasets: [...usesOf(dw, "whole"), ...usesOf(dp, "part")],
    ...(r === undefined ? {} : { reason: r }),
  };
}

function datasetsOf({ datasets }: QueueEntry, share: DatasetUse["share"]): string[] | undefined {
  const names = datasets.filter((use) => use.share === share).map(({ name }) => name);
  return names.length > 0 ? names : undefined;
}
const usesOf = (names: readonly string[] | undefined, share: DatasetUse["share"]): DatasetUse[] =>
  (names ?? []).map((name) => ({ name, share }));
