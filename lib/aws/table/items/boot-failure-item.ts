import * as z from "zod";
import type { BootFailure, SilentEnd } from "../../../model/node.ts";
import { keptMs } from "../../../model/values/kept.ts";
import type { Item } from "../access.ts";
import { bootFailureKey, type Key, silentEndKey } from "../keys.ts";
import { stored, ttlAfter } from "../stored.ts";

const StoredBootFailure: z.ZodType<BootFailure> = z.object({
  node: z.string(),
  instanceType: z.string(),
  zone: z.string(),
  atMs: z.number(),
});

export const bootFailureItem = (pool: string, failure: BootFailure): Key & Item => ({
  ...bootFailureKey(pool, failure.node),
  ...failure,
  ttl: ttlAfter(failure.atMs, keptMs.failure),
});
export const bootFailureOf = (item: Item): BootFailure => stored(StoredBootFailure, item);

const StoredSilentEnd: z.ZodType<SilentEnd> = z.object({ node: z.string(), zone: z.string(), atMs: z.number() });

/** Returns the item of a node that was ended for silence. It has the partition of the boot failures, so that both are read at once. */
export const silentEndItem = (pool: string, end: SilentEnd): Key & Item => ({
  ...silentEndKey(pool, end.node),
  ...end,
  ttl: ttlAfter(end.atMs, keptMs.failure),
});
export const silentEndOf = (item: Item): SilentEnd => stored(StoredSilentEnd, item);
