import * as z from "zod";
import type { BackOff } from "../../../model/values/back-off.ts";
import type { Item } from "../access.ts";
import { backOffsKey, type Key } from "../keys.ts";

const StoredBackOffs: z.ZodType<readonly BackOff[]> = z.array(
  z.object({ subject: z.string(), failures: z.int(), sinceMs: z.number(), retryAtMs: z.number(), note: z.string() }),
);

export const backOffsItem = (pool: string, backOffs: readonly BackOff[]): Key & Item => ({ ...backOffsKey(pool), backOffs });

/** Returns the back-offs. There are none if another release wrote them in another form, because they only space tries. */
export const backOffsOf = (item: Item | undefined): readonly BackOff[] => StoredBackOffs.safeParse(item?.["backOffs"]).data ?? [];
