import * as z from "zod";
import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { InstanceType, Offer } from "../../model/offer.ts";
import type { UnreadableItem } from "../../model/plan.ts";
import type { Resources } from "../../model/values/resources.ts";
import type { Item } from "./access.ts";

/** The keys of an item, as errors and problems name it. */
export const itemName = ({ pk, sk }: Item): string => `${String(pk)} ${String(sk)}`;

/** Returns a parsed item. Throws a FleetError that names its key and the field if it does not match the schema. */
export function stored<T>(schema: z.ZodType<T>, item: Item): T {
  const parsed = schema.safeParse(item);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(item)"}: ${issue.message}`);
  throw new FleetError("broken-item", `the item ${itemName(item)} is broken: ${fields.join("; ")}`);
}

export const isUnreadable = (error: unknown): error is FleetError => error instanceof FleetError && error.code === "broken-item";

/**
 * Parses the items of a partition. One that cannot be read must not hide the others, so it is set apart and named. Use this only if the
 * caller can leave an item alone; counters and fences must fail. `about` reads what is known of such an item all the same.
 */
export function separated<T>(
  kind: UnreadableItem["kind"],
  items: readonly Item[],
  parse: (item: Item) => T,
  about: (item: Item) => Pick<UnreadableItem, "jobs"> = () => ({}),
): { readonly read: readonly T[]; readonly unreadable: readonly UnreadableItem[] } {
  const read: T[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    try {
      read.push(parse(item));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable.push({ kind, key: itemName(item), why: inWords(error), ...about(item) });
    }
  }
  return { read, unreadable };
}

export const StoredResources: z.ZodType<Resources> = z.object({ vcpus: z.number(), memoryGiB: z.number(), gpus: z.number() });

export const StoredOffer: z.ZodType<Offer> = z.object({
  instanceType: z.string(),
  zone: z.string(),
  market: z.enum(["spot", "on-demand"]),
  usdPerHour: z.number(),
});

export const StoredType: z.ZodType<InstanceType> = z.object({
  name: z.string(),
  resources: StoredResources,
  gpu: z.object({ model: z.string(), memoryGiB: z.number() }).optional(),
});

/** Returns when DynamoDB may delete an item that is kept for some time, in seconds since the epoch. */
export const ttlAfter = (atMs: number, keptMs: number): number => Math.ceil((atMs + keptMs) / 1000);
