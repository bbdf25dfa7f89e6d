import * as z from "zod";
import { type Overrides, unknownOverrides } from "../../../model/overrides/overrides.ts";
import type { UnreadableItem } from "../../../model/plan.ts";
import { whenSpents } from "../../../model/values/when-spent.ts";
import type { Item } from "../access.ts";
import { separated, stored } from "../stored.ts";

/** Objects keep the fields of a later release, because each change writes all of them again. */
const ordered = { by: z.string(), because: z.string().optional(), sinceMs: z.number() };

const Order = z.looseObject({ ...ordered, untilMs: z.number().optional() });

const setting = <V extends z.ZodType>(value: V) => z.looseObject({ ...ordered, value, untilMs: z.number().optional() });
const Amount = setting(z.number().min(0));

const Settings = z.looseObject({
  usdPerHour: Amount.optional(),
  gpus: Amount.optional(),
  usdPerDay: Amount.optional(),
  usdPerMonth: Amount.optional(),
  whenSpent: setting(z.enum(whenSpents)).optional(),
  minNodes: Amount.optional(),
});

const StoredOverrides: z.ZodType<Overrides> = z.object({
  version: z.int(),
  paused: Order.optional(),
  settings: Settings.optional(),
  teams: z.record(z.string(), Settings).optional(),
  nodes: z.record(z.string(), Order),
  history: z.array(
    z.looseObject({ what: z.string(), by: z.string(), because: z.string().optional(), team: z.string().optional(), atMs: z.number() }),
  ),
});

/** Returns a pool's overrides. If they cannot be read, they are unknown and named. */
export function overridesOf(item: Item | undefined): {
  readonly overrides: Overrides | undefined;
  readonly unreadable: readonly UnreadableItem[];
} {
  if (!item) return { overrides: undefined, unreadable: [] };
  const { read, unreadable } = separated("overrides", [item], (each) => stored(StoredOverrides, each));
  return { overrides: read[0] ?? unknownOverrides, unreadable };
}
