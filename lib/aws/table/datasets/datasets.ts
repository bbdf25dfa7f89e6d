import type { AsRead, Datasets } from "../../../ports/datasets.ts";
import { getItem, getPartition, type TableAccess, tryUpdate } from "../access.ts";
import { type Change, type Condition, either, is, isAbsent, isAtMost, isThere, set, setAll } from "../expression.ts";
import { datasetKey, datasetPartition, mapRequestKey } from "../keys.ts";
import { ttlAfter } from "../stored.ts";
import { transact } from "../transaction.ts";
import { datasetItem, datasetOf, mapFits } from "./dataset-item.ts";

export const createDatasets = (access: TableAccess): Datasets => {
  const get: Datasets["get"] = async (ref) => {
    const item = await getItem(access, datasetKey(ref));
    return item && datasetOf(item);
  };
  const write = async (was: AsRead, changes: readonly Change[]): Promise<"done" | "stale"> =>
    (await tryUpdate(access, datasetKey(was), { changes, when: asRead(was) })) ? "done" : "stale";

  return {
    get,
    list: async (team) => (await getPartition(access, datasetPartition(team))).map(datasetOf),

    async add(dataset) {
      const written = await transact(access, [{ kind: "put", item: datasetItem(dataset), when: [isAbsent("pk")] }]);
      // If the existing dataset was removed in the meantime, the new one is returned, because it no longer matters which one had the name.
      return written === "done" ? dataset : ((await get(dataset)) ?? dataset);
    },

    async replace(was, dataset) {
      const written = await transact(access, [{ kind: "put", item: datasetItem(dataset), when: asRead(was) }]);
      if (written === "done") return "done";
      return (await get(dataset))?.id === dataset.id ? "done" : "stale";
    },

    async remove(ref) {
      const written = await transact(access, [{ kind: "delete", key: datasetKey(ref), when: [isThere("pk")] }]);
      return written === "done" ? "done" : "absent";
    },

    recordListing: (was, listing) =>
      write(was, [...setAll({ listing, state: listing.shards > 0 ? "ready" : "empty" }), set("trouble", undefined)]),

    recordTrouble(was, trouble) {
      const state = was.listing ? [] : [set("state", trouble === undefined ? "listing" : "failed")];
      return write(was, [set("trouble", trouble), ...state]);
    },

    async recordMap(was, map) {
      mapFits(was, map);
      return write(was, [set("map", map)]);
    },

    async recordRelist(was, atMs) {
      await tryUpdate(access, datasetKey(was), { changes: [set("relistAtMs", atMs)], when: [is("id", was.id)] });
    },

    async mayRequestMap(ref, node, { nowMs, againAtMs }) {
      const written = await tryUpdate(access, mapRequestKey(ref, node), {
        changes: [set("untilMs", againAtMs), set("ttl", ttlAfter(nowMs, 1))],
        when: [either(isAbsent("untilMs"), isAtMost("untilMs", nowMs))],
      });
      return written !== undefined;
    },
  };
};

const asRead = ({ id, listing, map }: AsRead): Condition[] => [
  is("id", id),
  listing ? is(["listing", "version"], listing.version) : isAbsent("listing"),
  map ? is(["map", "version"], map.version) : isAbsent("map"),
];
