import { keptMs } from "../../../model/values/kept.ts";
import type { AsRead, Datasets } from "../../../ports/datasets.ts";
import { getItem, getPartition, type TableAccess, tryUpdate } from "../access.ts";
import { add, type Change, type Condition, either, is, isAbsent, isAtMost, isBelow, set, setAll } from "../expression.ts";
import { datasetKey, datasetPartition, type Key, listingsKey, mapRequestKey } from "../keys.ts";
import { ttlAfter } from "../stored.ts";
import { type Part, transact } from "../transaction.ts";
import { addCounted, deleteCounted } from "./dataset-count.ts";
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

    async add(dataset, most) {
      const put: Part = { kind: "put", item: datasetItem(dataset), when: [isAbsent("pk")] };
      const written = await addCounted(access, put, { team: dataset.team, most });
      if (written === "full") return "full";
      // If the existing dataset was removed in the meantime, the new one is returned, because it no longer matters which one had the name.
      return written === "done" ? dataset : ((await get(dataset)) ?? dataset);
    },

    async replace(was, dataset) {
      const written = await transact(access, [{ kind: "put", item: datasetItem(dataset), when: asRead(was) }]);
      if (written === "done") return "done";
      return (await get(dataset))?.id === dataset.id ? "done" : "stale";
    },

    remove: async (ref) => ((await deleteCounted(access, ref)) ? "done" : "absent"),

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

    async claimListing({ team, source }, { nowMs, everyMs, perSource, perTeam }) {
      const interval = Math.floor(nowMs / everyMs);
      const ttl = ttlAfter(nowMs, keptMs.datasetTurn);
      const claim = async (key: Key, most: number): Promise<boolean> => {
        const first = { changes: setAll({ interval, count: 1, ttl }), when: [either(isAbsent("interval"), isBelow("interval", interval))] };
        const next = { changes: [add("count", 1)], when: [is("interval", interval), isBelow("count", most)] };
        return ((await tryUpdate(access, key, first)) ?? (await tryUpdate(access, key, next))) !== undefined;
      };
      return (await claim(listingsKey(team, source), perSource)) && claim(listingsKey(team), perTeam);
    },

    async recordDeferral(was, untilMs) {
      await tryUpdate(access, datasetKey(was), { changes: [set("deferredUntilMs", untilMs)], when: [is("id", was.id)] });
    },

    async mayRequestMap(ref, node, { nowMs, againAtMs }) {
      const written = await tryUpdate(access, mapRequestKey(ref, node), {
        changes: [set("untilMs", againAtMs), set("ttl", ttlAfter(nowMs, keptMs.datasetTurn))],
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
