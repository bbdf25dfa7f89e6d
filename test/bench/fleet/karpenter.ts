import type { NamedJob, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { type Bin, byPrice, emptyBin, holds, put } from "./rivals.ts";

/** A node to be launched: its pods, and the types that still hold all of them, cheapest first. */
type Claim = { readonly pods: NamedJob[]; types: readonly Bin[] };
/** A launched node with its price, its pods and what is free. */
type KarpenterNode = { readonly bin: Bin; readonly pods: readonly NamedJob[] };

/** The most nodes that one command of consolidation replaces. */
const maxReplaced = 100;

/**
 * Karpenter's rule according to its source (snapshot 2266468 of 2026-08-20: queue.go, scheduler.go, nodeclaim.go). Pods are sorted by falling
 * vCPUs and memory. Each goes to the planned node with the fewest pods for which some instance type still holds all its pods, or else to
 * a new one. Finally each node gets the cheapest type that is left to it. Pods with a share of a GPU are not a case of Karpenter.
 */
export function karpenter(jobs: readonly NamedJob[], offers: readonly Supply[]): { usdPerHour: number; nodes: readonly KarpenterNode[] } {
  const { claims } = scheduled(jobs, { offers, there: [] });
  const nodes = claims.map(launched);
  return { usdPerHour: usdOf(nodes), nodes };
}

/**
 * Consolidation according to Karpenter's source (multinodeconsolidation.go, singlenodeconsolidation.go, consolidation.go), repeated until it
 * finds no command. Several nodes, or else one, are replaced by the others' free room and at most one node that is cheaper than all of
 * them. Nodes with few pods are tried first. Spot nodes are only deleted, because replacing spot with spot is off by default.
 */
export function consolidated(from: readonly KarpenterNode[], offers: readonly Supply[]): { usdPerHour: number; commands: number } {
  let nodes = from;
  for (let commands = 0; ; commands += 1) {
    const candidates = nodes.toSorted((a, b) => a.pods.length - b.pods.length);
    const next = multiNode(candidates, offers) ?? singleNode(candidates, offers);
    if (!next) return { usdPerHour: usdOf(nodes), commands };
    nodes = next;
  }
}

/** Searches by halves for the most nodes that one command can replace. */
function multiNode(candidates: readonly KarpenterNode[], offers: readonly Supply[]): readonly KarpenterNode[] | undefined {
  let [least, most] = [1, Math.min(candidates.length, maxReplaced) - 1];
  let found: readonly KarpenterNode[] | undefined;
  while (least <= most) {
    const middle = Math.floor((least + most) / 2);
    const next = replaced(candidates.slice(0, middle + 1), { others: candidates.slice(middle + 1), offers });
    if (next) [found, least] = [next, middle + 1];
    else most = middle - 1;
  }
  return found;
}

function singleNode(candidates: readonly KarpenterNode[], offers: readonly Supply[]): readonly KarpenterNode[] | undefined {
  for (const [index, node] of candidates.entries()) {
    const next = replaced([node], { others: candidates.toSpliced(index, 1), offers });
    if (next) return next;
  }
  return undefined;
}

type Rest = { readonly others: readonly KarpenterNode[]; readonly offers: readonly Supply[] };

/** Returns the nodes after these were replaced; undefined if that needs more than one new node, or does not save anything. */
function replaced(nodes: readonly KarpenterNode[], { others, offers }: Rest): readonly KarpenterNode[] | undefined {
  const pods = nodes.flatMap((node) => node.pods);
  const { claims, there } = scheduled(pods, { offers, there: others });
  const [claim] = claims;
  if (!claim) return there;
  if (claims.length > 1 || nodes.every(({ bin }) => bin.offer.market === "spot")) return undefined;
  // The replacement must be cheaper than all nodes together and, if it may be of the type of one of them, cheaper than that one.
  const alike = nodes.filter(({ bin }) => claim.types.some(({ offer }) => offer.name === bin.offer.name));
  const mostUsd = Math.min(usdOf(nodes), ...alike.map(({ bin }) => bin.offer.usdPerHour));
  const types = claim.types.filter(({ offer }) => offer.usdPerHour < mostUsd);
  return types.length > 0 ? [...there, launched({ ...claim, types })] : undefined;
}

/** Puts pods on existing nodes, then on planned ones. The nodes that are passed do not change. */
function scheduled(
  pods: readonly NamedJob[],
  { offers, there }: { offers: readonly Supply[]; there: readonly KarpenterNode[] },
): { claims: readonly Claim[]; there: readonly KarpenterNode[] } {
  const cheapest = offers.toSorted(byPrice);
  const nodes = there.map(({ bin, pods: held }) => ({ bin: { ...bin, free: [...bin.free], gpus: [...bin.gpus] }, pods: [...held] }));
  const claims: Claim[] = [];
  for (const pod of pods.toSorted(byCpu)) {
    const node = nodes.find(({ bin }) => holds(bin, pod));
    if (node) {
      put(node.bin, pod);
      node.pods.push(pod);
      continue;
    }
    claims.sort((a, b) => a.pods.length - b.pods.length);
    let claim = claims.find(({ types }) => types.some((bin) => holds(bin, pod)));
    if (!claim) {
      claim = { pods: [], types: cheapest.map(emptyBin) };
      claims.push(claim);
    }
    claim.types = claim.types.filter((bin) => holds(bin, pod));
    for (const bin of claim.types) put(bin, pod);
    claim.pods.push(pod);
  }
  return { claims, there: nodes };
}

const byCpu = (a: NamedJob, b: NamedJob): number =>
  (b.size[0] ?? 0) - (a.size[0] ?? 0) || (b.size[1] ?? 0) - (a.size[1] ?? 0) || (a.name < b.name ? -1 : 1);

/** A planned node becomes one of the cheapest type that is left to it. */
function launched({ pods, types: [bin] }: Claim): KarpenterNode {
  if (!bin) throw new Error(`no offer holds ${pods[0]?.name}`);
  return { bin, pods };
}

const usdOf = (nodes: readonly KarpenterNode[]): number => nodes.reduce((sum, { bin }) => sum + bin.offer.usdPerHour, 0);
