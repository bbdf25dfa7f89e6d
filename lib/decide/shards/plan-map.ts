import type { Shard, Share } from "../../model/dataset.ts";
import type { DatasetNeed } from "./needs.ts";
import { deal } from "./rendezvous.ts";

/** A listing's shards and the nodes that need them. */
export type Deal = { readonly shards: readonly Shard[]; readonly needs: readonly DatasetNeed[] };

/** One node's place in a new map, and how it differs from what it had in the map before. */
export type Portion = {
  readonly node: string;
  readonly share: Share;
  readonly weight: number;
  /** In the listing's order. */
  readonly shards: readonly Shard[];
  readonly bytes: number;
  /** Shards that the node did not have, or had with other content. */
  readonly gains: number;
  readonly gainedBytes: number;
  /** Shards that the node had and no longer has. */
  readonly losses: number;
};

export type MapPlan = {
  readonly portions: readonly Portion[];
  /** Dealt shards that had one holder before and have another one now. */
  readonly moved: number;
  readonly movedBytes: number;
};

/** Deals a listing out to the nodes that need it. `before`: what the previous map was made of; undefined for the first. */
export function planMap(now: Deal, before: Deal | undefined): MapPlan {
  const holders = dealt(now);
  const holdersBefore = new Map(before ? dealt(before) : []);
  const had = new Set((before?.shards ?? []).map(contentOf));
  const parts = Map.groupBy(now.shards, (shard) => holders.get(shard.key));
  const partsBefore = Map.groupBy(before?.shards ?? [], (shard) => holdersBefore.get(shard.key));
  const shardsOf = (need: DatasetNeed, of: Deal | undefined, its: typeof parts): readonly Shard[] =>
    need.share === "whole" ? (of?.shards ?? []) : (its.get(need.node) ?? []);
  // The change is the same for all nodes that hold the whole, and a listing is long, so it is calculated once.
  let ofWhole: Change | undefined;
  const changeOf = (need: DatasetNeed, shards: readonly Shard[]): Change => {
    if (!before?.needs.some((each) => each.node === need.node && each.share === need.share)) return changeBetween([], shards);
    if (need.share === "part") return changeBetween(shardsOf(need, before, partsBefore), shards);
    ofWhole ??= changeBetween(before.shards, shards);
    return ofWhole;
  };

  const portions = now.needs.map((need): Portion => {
    const shards = shardsOf(need, now, parts);
    const { node, share, weight } = need;
    return { node, share, weight, shards, bytes: bytesOf(shards), ...changeOf(need, shards) };
  });
  const moves = now.shards.filter((shard) => {
    const [from, to] = [holdersBefore.get(shard.key), holders.get(shard.key)];
    return from !== undefined && to !== undefined && from !== to && had.has(contentOf(shard));
  });
  return { portions, moved: moves.length, movedBytes: bytesOf(moves) };
}

/** Returns the holder of each dealt shard; empty if no node needs a part. */
function dealt({ shards, needs }: Deal): Map<string, string> {
  const parts = needs.filter((need) => need.share === "part");
  const holders = deal(
    shards.map((shard) => shard.key),
    parts,
  );
  return new Map(shards.flatMap((shard, at) => (holders[at] === undefined ? [] : [[shard.key, holders[at]]])));
}

type Change = Pick<Portion, "gains" | "gainedBytes" | "losses">;

function changeBetween(old: readonly Shard[], now: readonly Shard[]): Change {
  const gained = missingFrom(old, now);
  return { gains: gained.length, gainedBytes: bytesOf(gained), losses: missingFrom(now, old).length };
}

function missingFrom(old: readonly Shard[], now: readonly Shard[]): readonly Shard[] {
  if (old.length === 0 || now.length === 0) return now;
  const known = new Set(old.map(contentOf));
  return now.filter((shard) => !known.has(contentOf(shard)));
}

const contentOf = ({ key, etag, bytes }: Shard): string => `${etag} ${bytes} ${key}`;
const bytesOf = (shards: readonly Shard[]): number => shards.reduce((sum, shard) => sum + shard.bytes, 0);
