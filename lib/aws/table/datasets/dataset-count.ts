import * as z from "zod";
import type { DatasetRef } from "../../../model/dataset.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { getItem, getPartition, type TableAccess, tryUpdate } from "../access.ts";
import { add, is, isAbsent, isBelow, isThere, set } from "../expression.ts";
import { datasetCountKey, datasetKey, datasetPartition } from "../keys.ts";
import { stored } from "../stored.ts";
import { type Part, transact } from "../transaction.ts";

const StoredCount = z.object({ count: z.int() });
const maxTries = 6;

/**
 * Writes a new dataset and counts it, in one transaction. `there`: its name is in use. `full`: the team has `most` datasets. If the count
 * is missing or too high, as an earlier release left it, it is corrected first.
 */
export async function addCounted(
  access: TableAccess,
  put: Part,
  { team, most }: { team: string; most: number },
): Promise<"done" | "there" | "full"> {
  const countKey = datasetCountKey(team);
  for (let tries = 0; tries < maxTries; tries += 1) {
    const written = await transact(access, [
      put,
      { kind: "update", key: countKey, changes: [add("count", 1)], when: [isBelow("count", most)] },
    ]);
    if (written === "done") return "done";
    if (written.failed.has(0)) return "there";
    if ((await corrected(access, team)) >= most) return "full";
  }
  throw new FleetError("dataset-busy", `the datasets of team ${team} changed each time they were counted`, { retry: true });
}

/** Deletes a dataset and counts that. Returns whether it was there. */
export async function deleteCounted(access: TableAccess, ref: DatasetRef): Promise<boolean> {
  const gone: Part = { kind: "delete", key: datasetKey(ref), when: [isThere("pk")] };
  const countKey = datasetCountKey(ref.team);
  const written = await transact(access, [gone, { kind: "update", key: countKey, changes: [add("count", -1)], when: [isThere("count")] }]);
  if (written === "done") return true;
  if (written.failed.has(0)) return false;
  // No dataset was added since an earlier release, which did not count. The next one that is added counts those that are left.
  return (
    (await transact(access, [gone, { kind: "check", key: countKey, when: [isAbsent("count")] }])) === "done" || deleteCounted(access, ref)
  );
}

/** Sets the count to the number of datasets, unless either changes meanwhile. Returns that number. */
async function corrected(access: TableAccess, team: string): Promise<number> {
  const key = datasetCountKey(team);
  const item = await getItem(access, key);
  const before = item && stored(StoredCount, item).count;
  const there = (await getPartition(access, datasetPartition(team))).length;
  const when = before === undefined ? isAbsent("count") : is("count", before);
  if (before !== there) await tryUpdate(access, key, { changes: [set("count", there)], when: [when] });
  return there;
}
