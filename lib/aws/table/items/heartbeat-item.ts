import * as z from "zod";
import type { FetchedDataset } from "../../../model/dataset.ts";
import type { Heartbeat } from "../../../model/heartbeat/heartbeat.ts";
import type { Node } from "../../../model/node.ts";
import type { GpuSample } from "../../../model/telemetry.ts";
import { keptMs } from "../../../model/values/kept.ts";
import type { Item } from "../access.ts";
import { type Change, defined, set } from "../expression.ts";
import { packed, packedText } from "../packed.ts";
import { stored, ttlAfter } from "../stored.ts";

const Figure = z.number().nullable();
/** The names of the models and of what throttles a GPU are stored once per node, and a sample has their indexes. */
const StoredGpu = z.tuple([z.number(), Figure, Figure, Figure, Figure, Figure, Figure, Figure, z.array(z.number()).nullable()]);
type StoredGpu = z.infer<typeof StoredGpu>;

const StoredGpus = z.object({ names: z.array(z.string()), samples: z.array(StoredGpu) });

const StoredHeartbeat = z.object({
  session: z.number(),
  call: z.number().optional(),
  lastSeenMs: z.number().optional(),
  address: z.string().optional(),
  gpus: packed(StoredGpus).optional(),
  gpusAtMs: z.number().optional(),
  gpusBusyAtMs: z.number().optional(),
});

const StoredFetched: z.ZodType<FetchedDataset> = z.object({
  team: z.string(),
  dataset: z.string(),
  version: z.number(),
  shards: z.number(),
  bytes: z.number(),
});
const StoredData = z.object({ datasets: z.array(StoredFetched) });

/** Returns the writes of a heartbeat. Values that are undefined stay as they are. */
export const heartbeatChanges = ({ gpus, ...beat }: Heartbeat): Change[] => [
  ...Object.entries(defined(beat)).map(([name, value]) => set(name, value)),
  ...(gpus === undefined ? [] : [set("gpus", gpusText(gpus))]),
  keptAfter(beat.lastSeenMs),
];
/** Returns the write that keeps a heartbeat, or what was reported with it, until long after a call. */
export const keptAfter = (atMs: number): Change => set("ttl", ttlAfter(atMs, keptMs.heartbeat));

/** Returns a node's part that its heartbeat holds. Throws if the item cannot be read. */
export function heartbeatOfItem(item: Item): Partial<Node> {
  const { gpus, ...beat } = stored(StoredHeartbeat, item);
  return { ...beat, ...(gpus && { gpus: gpusOf(gpus) }) };
}

export const datasetsOfItem = (item: Item): readonly FetchedDataset[] => stored(StoredData, item).datasets;

/** Returns GPU samples as they are stored: names apart, figures by position. */
export function gpusText(gpus: readonly GpuSample[]): string {
  const names: string[] = [];
  const indexOf = (name: string): number => {
    if (!names.includes(name)) names.push(name);
    return names.indexOf(name);
  };
  const samples = gpus.map(
    (gpu): StoredGpu => [
      gpu.index,
      gpu.model === undefined ? null : indexOf(gpu.model),
      gpu.utilizationPercent ?? null,
      gpu.memoryUsedMiB ?? null,
      gpu.memoryTotalMiB ?? null,
      gpu.powerWatts ?? null,
      gpu.temperatureC ?? null,
      gpu.eccUncorrected ?? null,
      gpu.throttled?.map(indexOf) ?? null,
    ],
  );
  return packedText({ names, samples } satisfies z.infer<typeof StoredGpus>);
}

const gpusOf = ({ names, samples }: z.infer<typeof StoredGpus>): readonly GpuSample[] =>
  samples.map(([index, model, utilizationPercent, memoryUsedMiB, memoryTotalMiB, powerWatts, temperatureC, eccUncorrected, throttled]) => ({
    index,
    ...(model !== null && { model: names[model] }),
    ...(utilizationPercent !== null && { utilizationPercent }),
    ...(memoryUsedMiB !== null && { memoryUsedMiB }),
    ...(memoryTotalMiB !== null && { memoryTotalMiB }),
    ...(powerWatts !== null && { powerWatts }),
    ...(temperatureC !== null && { temperatureC }),
    ...(eccUncorrected !== null && { eccUncorrected }),
    ...(throttled !== null && { throttled: throttled.map((name) => names[name] ?? "unknown") }),
  }));
