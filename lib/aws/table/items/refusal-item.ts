import * as z from "zod";
import type { Refusal } from "../../../model/refusal.ts";
import { keptMs } from "../../../model/values/kept.ts";
import type { Item } from "../access.ts";
import { type Key, refusalKey } from "../keys.ts";
import { stored, ttlAfter } from "../stored.ts";

const known = {
  code: z.string(),
  least: z.number(),
  evidence: z.number(),
  atMs: z.number(),
  sinceMs: z.number(),
  untilMs: z.number(),
  launch: z.string(),
};
const market = z.enum(["spot", "on-demand"]);
const offer = { instanceType: z.string(), zone: z.string(), market };

const StoredRefusal: z.ZodType<Refusal> = z.discriminatedUnion("why", [
  z.object({ why: z.literal("capacity"), ...offer, ...known }),
  z.object({ why: z.literal("limit"), region: z.string(), market, quota: z.string(), ...known }),
  z.object({ why: z.literal("fault"), pool: z.string(), ...offer, ...known }),
]);

/** Returns a refusal's item. `revision` counts its writes, so that concurrent writes are detected. */
export const refusalItem = (refusal: Refusal, revision: number): Key & Item => ({
  ...refusalKey(refusal),
  ...refusal,
  revision,
  ttl: ttlAfter(refusal.untilMs, keptMs.refusal),
});
export const refusalOf = (item: Item): Refusal => stored(StoredRefusal, item);
export const revisionOf = (item: Item): number => stored(z.object({ revision: z.int() }), item).revision;
