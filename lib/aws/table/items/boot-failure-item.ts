import * as z from "zod";
import type { BootFailure } from "../../../model/node.ts";
import type { Item } from "../access.ts";
import { bootFailureKey, type Key } from "../keys.ts";
import { stored } from "../stored.ts";

/** Longer than a boot failure counts. */
const keptSeconds = 2 * 3600;

const StoredBootFailure: z.ZodType<BootFailure> = z.object({
  node: z.string(),
  instanceType: z.string(),
  zone: z.string(),
  atMs: z.number(),
});

export const bootFailureItem = (pool: string, failure: BootFailure): Key & Item => ({
  ...bootFailureKey(pool, failure.node),
  ...failure,
  ttl: Math.ceil(failure.atMs / 1000) + keptSeconds,
});
export const bootFailureOf = (item: Item): BootFailure => stored(StoredBootFailure, item);
