import * as z from "zod";
import type { Learned } from "../../../model/plan.ts";
import type { Item } from "../access.ts";
import { type Key, learnedKey } from "../keys.ts";

const StoredLearned = z.record(z.string(), z.record(z.string(), z.object({ tries: z.number(), reward: z.number() })));

export const learnedItem = (pool: string, learned: Learned): Key & Item => ({ ...learnedKey(pool), learned });

/** Returns the statistics, or undefined if another release wrote them in another form, because they only explain and speed up decisions. */
export const learnedOf = (item: Item | undefined): Learned | undefined => StoredLearned.safeParse(item?.["learned"]).data;
