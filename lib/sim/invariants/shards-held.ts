import { needsOf, sameNeeds } from "../../decide/shards/needs.ts";
import { type Dataset, datasetName, type Holding, type Shard } from "../../model/dataset.ts";
import type { WorldView } from "../world/seen.ts";
import type { Invariant, InvariantBreach } from "./invariant.ts";

/** 6: every map assigns all shards of its listing, and a change moves only the shards that it must. */
export const shardsHeld: Invariant = {
  number: 6,
  name: "every shard is held",
  says: "Every shard has its holders. A change of nodes moves no more shards than the plan says.",
  watch: (seen) => ({
    on: (fact) => (fact.kind === "map" ? (notWhole(fact.after, seen()) ?? movedTooMuch(fact.before, fact.after, seen())) : undefined),
    // Only after some rest, because the tick finds outdated maps once per minute.
    afterRest: () => {
      const { datasets, table } = seen();
      const nodes = [...table.nodes.values()].map(({ node }) => node);
      const wrong = [...datasets.records.values()].find((each) => each.map && !sameNeeds(needsOf(each, nodes), each.map.holdings));
      return (
        wrong &&
        `${datasetName(wrong)} is assigned to ${wrong.map?.holdings.map(({ node }) => node).join(", ")}, not to the nodes that need it`
      );
    },
  }),
};

const listOf = (key: string, { store }: WorldView): readonly Shard[] | undefined => {
  const value = store.written.get(key)?.value;
  return Array.isArray(value) ? value : undefined;
};
const contentOf = ({ key, etag }: Shard): string => `${key} ${etag}`;
const partsOf = ({ map }: Dataset): readonly Holding[] => map?.holdings.filter(({ share }) => share === "part") ?? [];

function notWhole(dataset: Dataset, seen: WorldView): InvariantBreach {
  const { map } = dataset;
  const all = map && listOf(map.listingKey, seen);
  if (!map || !all) return `the listing of map ${map?.version} of ${datasetName(dataset)} is missing`;
  for (const holding of map.holdings) {
    const held = listOf(holding.list, seen);
    if (!held) return `${holding.node} should have a list of ${datasetName(dataset)}, but the list is missing`;
    if (holding.share === "whole" && held.length !== all.length)
      return `${holding.node} should hold all of ${datasetName(dataset)}, but some shards are missing`;
  }
  const parts = partsOf(dataset);
  if (parts.length === 0) return undefined;
  const dealt = parts.flatMap((holding) => (listOf(holding.list, seen) ?? []).map(contentOf)).sort();
  const wanted = all.map(contentOf).sort();
  return dealt.join("\n") === wanted.join("\n")
    ? undefined
    : `map ${map.version} of ${datasetName(dataset)} assigns ${dealt.length} of ${wanted.length} shards, or some of them twice`;
}

/** No shard moves between two nodes that stay, and the record says how many moved. */
function movedTooMuch(before: Dataset, after: Dataset, seen: WorldView): InvariantBreach {
  if (!before.map || !after.map || before.map.listingKey !== after.map.listingKey) return undefined;
  const [old, now] = [holdersOf(before, seen), holdersOf(after, seen)];
  const weights = (dataset: Dataset): string =>
    partsOf(dataset)
      .map(({ node, weight }) => `${node}:${weight}`)
      .join();
  const stays = (node: string): boolean =>
    partsOf(before).some((each) => each.node === node) && partsOf(after).some((each) => each.node === node);
  const moves = [...now].filter(([shard, node]) => old.has(shard) && old.get(shard) !== node);
  const idle = moves.find(([shard, node]) => stays(node) && stays(old.get(shard) ?? ""));
  if (idle && sameWeights(before, after)) return `${idle[0]} moved from ${old.get(idle[0])} to ${idle[1]}, although both nodes stayed`;
  return moves.length === after.map.moved
    ? undefined
    : `map ${after.map.version} of ${datasetName(after)} moves ${moves.length} shards (${weights(before)} → ${weights(after)}), but records ${after.map.moved}`;
}

const sameWeights = (before: Dataset, after: Dataset): boolean =>
  partsOf(before).every(({ node, weight }) => partsOf(after).every((each) => each.node !== node || each.weight === weight));

const holdersOf = (dataset: Dataset, seen: WorldView): ReadonlyMap<string, string> =>
  new Map(partsOf(dataset).flatMap(({ node, list }) => (listOf(list, seen) ?? []).map((shard) => [contentOf(shard), node] as const)));
