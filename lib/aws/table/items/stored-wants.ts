import * as z from "zod";
import type { DatasetUse } from "../../../model/dataset.ts";
import type { Wants } from "../../../model/wants.ts";
import { packedText, sharedPacked } from "../packed.ts";

/** A job's wants. Names have one or two letters, because a decision reads thousands of entries and a node's item holds up to 200. */
export const StoredWants = z.object({
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
  /** zones */
  z: z.array(z.string()).default([]),
});
type StoredWants = z.infer<typeof StoredWants>;

/** Returns wants in the stored form. Undefined fields are not written. */
const wantsItem = ({ needs, gpu, spot, nodes, datasets, zones }: Wants): Readonly<Record<keyof StoredWants, unknown>> => ({
  v: needs.vcpus,
  m: needs.memoryGiB,
  g: needs.gpus,
  gm: gpu.memoryGiB > 0 ? gpu.memoryGiB : undefined,
  gn: unlessEmpty(gpu.models),
  s: spot,
  n: nodes > 1 ? nodes : undefined,
  dw: unlessEmpty(namesOf(datasets, "whole")),
  dp: unlessEmpty(namesOf(datasets, "part")),
  z: unlessEmpty(zones),
});

export const wantsOfItem = ({ v, m, g, gm, gn, s, n, dw, dp, z: zones }: StoredWants): Wants => ({
  needs: { vcpus: v, memoryGiB: m, gpus: g },
  gpu: { memoryGiB: gm, models: gn },
  spot: s,
  nodes: n ?? 1,
  datasets: [...usesOf(dw, "whole"), ...usesOf(dp, "part")],
  zones,
});

export const wantsText = (wants: Wants): string => packedText(wantsItem(wants));

/** Wants, which jobs that want the same share. */
export const SharedWants: z.ZodType<Wants> = sharedPacked(StoredWants.transform(wantsOfItem));

const unlessEmpty = (all: readonly string[]): readonly string[] | undefined => (all.length > 0 ? all : undefined);
const namesOf = (datasets: readonly DatasetUse[], share: DatasetUse["share"]): readonly string[] =>
  datasets.filter((use) => use.share === share).map(({ name }) => name);
const usesOf = (names: readonly string[] | undefined, share: DatasetUse["share"]): readonly DatasetUse[] =>
  (names ?? []).map((name) => ({ name, share }));
