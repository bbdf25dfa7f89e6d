import * as z from "zod";
import { getItem, type TableAccess } from "../access.ts";
import { instanceKey } from "../keys.ts";
import { stored } from "../stored.ts";

const StoredInstance = z.object({ pool: z.string() });

/** Returns the pool of one of the fleet's instances, or undefined for any other instance. */
export async function poolOfInstance(
  access: TableAccess,
  node: string,
  read: Parameters<typeof getItem>[2] = {},
): Promise<string | undefined> {
  const item = await getItem(access, instanceKey(node), read);
  return item && stored(StoredInstance, item).pool;
}
