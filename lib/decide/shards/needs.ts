import type { DatasetRef, Holding, Share } from "../../model/dataset.ts";
import type { Node } from "../../model/node.ts";
import type { Weighted } from "./rendezvous.ts";

/** A node that needs a dataset, whole or in part. */
export type DatasetNeed = Weighted & { readonly share: Share };

/** Returns the nodes that need a dataset: those that may live and hold an attempt that names it. In order of node and share. */
export function needsOf({ team, dataset }: DatasetRef, nodes: readonly Node[]): DatasetNeed[] {
  return nodes
    .filter((node) => node.state !== "terminating" && node.state !== "gone")
    .flatMap((node) => sharesOn(node, { team, dataset }).map((share) => ({ node: node.id, share, weight: weightOf(node) })))
    .sort(byNodeAndShare);
}

function sharesOn(node: Node, { team, dataset }: DatasetRef): Share[] {
  const uses = node.assignments.filter((each) => each.team === team).flatMap((each) => each.datasets ?? []);
  return [...new Set(uses.filter((use) => use.name === dataset).map((use) => use.share))];
}

/** Returns a node's weight for reading: its GPUs, or its vCPUs if it has none. */
const weightOf = ({ type: { resources } }: Node): number => (resources.gpus > 0 ? resources.gpus : Math.max(resources.vcpus, 1));

/** Reports whether a map already names exactly these nodes. */
export const sameNeeds = (needs: readonly DatasetNeed[], holdings: readonly Holding[]): boolean =>
  needs.length === holdings.length &&
  needs.every((need, at) => {
    const held = holdings[at];
    return held?.node === need.node && held.share === need.share && held.weight === need.weight;
  });

export const byNodeAndShare = (a: { node: string; share: Share }, b: { node: string; share: Share }): number =>
  compare(a.node, b.node) || compare(a.share, b.share);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
