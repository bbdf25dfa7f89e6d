import type { Random } from "../../../lib/optimizer/engines/random.ts";
import { type Chooser, chooserBy, type FixedRoom, type Judge } from "../research/fixed/choose.ts";
import { type Demand, gpuTotal, isShared, type Need, nameOfKind, wholeGpu } from "../research/fixed/needs.ts";
import { accepts, type Move, type Shape } from "../research/fixed/shapes.ts";

/**
 * Other people's rules, as the simulator of FGD's authors runs them (hkust-adsl/kubernetes-scheduler-simulator,
 * pkg/simulator/plugin): each gives a node a whole number up to 100, and of the best the first in the cluster's order is
 * taken. Where a rule says nothing of GPUs, the fullest that holds the pod is taken.
 */
export type Rival = { readonly name: string; readonly chooser: (demand: Demand, random: Random) => Chooser };

export const fgd: Rival = { name: "FGD", chooser: (demand) => chooserBy(byFragmentation(demand)) };

export const rivals: readonly Rival[] = [
  fgd,
  { name: "best fit", chooser: () => chooserBy(atFullestGpu(bestFit)) },
  { name: "dot product", chooser: () => chooserBy(atFullestGpu(dotProduct)) },
  { name: "packing", chooser: () => chooserBy(atFullestGpu(packing)) },
  { name: "random", chooser: (_, random) => chooserAtRandom(random) },
];

const most = 100;
const mostVcpuMilli = 128_000;
const mostGpuMilli = 8_000;
const free = ({ gpus }: Shape): number => gpus.reduce((sum, each) => sum + each, 0);

/** FGD (Weng et al., USENIX ATC 2023): by how much less of the node's free GPUs would be out of a typical pod's reach. */
function byFragmentation(demand: Demand): Judge {
  const typical = typicalOf(demand);
  const known: number[] = [];
  const fragmentation = (shape: Shape): number => {
    const value = known[shape.number] ?? typical.reduce((sum, { need, share }) => sum + share * outOfReach(shape, need), 0);
    known[shape.number] = value;
    return value;
  };
  return (from, { to }) => Math.floor(most / (1 + Math.exp(-(fragmentation(from) - fragmentation(to)) / 1000)));
}

/** What of a node's free GPUs is lost for pods like this one: all, if the node holds none, else those that are too full. */
function outOfReach(shape: Shape, need: Need): number {
  const all = free(shape);
  if (need.gpuMilli === 0 || shape.vcpuMilli < need.vcpuMilli || !accepts(shape, need)) return all;
  let holding = 0;
  let reachable = 0;
  for (const each of shape.gpus) {
    if (each < need.gpuMilli) continue;
    holding += 1;
    reachable += each;
  }
  return holding >= need.gpus ? all - reachable : all;
}

/** The most frequent kinds, that together are 95 % of all pods. */
function typicalOf(demand: Demand): readonly { readonly need: Need; readonly share: number }[] {
  const all = demand.reduce((sum, { count }) => sum + count, 0);
  const kinds = [...Map.groupBy(demand, ({ need }) => nameOfKind(need))].flatMap(([kind, alike]) =>
    alike.slice(0, 1).map(({ need }) => ({ kind, need, count: alike.reduce((sum, { count }) => sum + count, 0) })),
  );
  const inOrder = kinds.sort(
    (a, b) => b.count - a.count || b.need.vcpuMilli - a.need.vcpuMilli || b.need.gpuMilli - a.need.gpuMilli || (a.kind < b.kind ? -1 : 1),
  );
  const typical: typeof kinds = [];
  let counted = 0;
  for (const each of inOrder) {
    if (counted >= 0.95 * all) break;
    counted += each.count;
    typical.push(each);
  }
  return typical.map(({ need, count }) => ({ need, share: count / counted }));
}

type NodeScore = (from: Shape, need: Need) => number;

/** The first move is the one to the fullest GPU: others come below it on the same node. */
const atFullestGpu =
  (score: NodeScore): Judge =>
  (from, move, need) =>
    move.shares === undefined || move.shares === from.gpus.find((each) => each >= need.gpuMilli)
      ? score(from, need)
      : Number.NEGATIVE_INFINITY;

/** Least left of vCPUs and GPUs, as parts of the largest node's. */
const bestFit: NodeScore = (from, need) =>
  Math.floor(most * (1 - ((from.vcpuMilli - need.vcpuMilli) / mostVcpuMilli / 2 + (free(from) - gpuTotal(need)) / mostGpuMilli / 2)));

/** Tetris's alignment, the other way around as the simulator has it: the smaller the product of what is free and wanted, the better. */
const dotProduct: NodeScore = (from, need) =>
  Math.floor(most * (1 - ((from.vcpuMilli * need.vcpuMilli) / mostVcpuMilli ** 2 + (free(from) * gpuTotal(need)) / mostGpuMilli ** 2) / 2));

/** GPUs in use before free ones, used nodes before free ones. */
const packing: NodeScore = (from, need) => {
  if (need.gpuMilli === 0) return 0;
  const whole = from.gpus.filter((each) => each === wholeGpu).length;
  if (whole === from.gpus.length) return Math.max(Math.floor(most / 3) - whole, whole);
  const fullest = from.gpus.find((each) => each >= need.gpuMilli) ?? wholeGpu;
  if (isShared(need) && fullest < wholeGpu) return Math.max(most - Math.floor(Math.floor(fullest / 10) / 10), most / 2);
  return Math.max(most / 2 - need.gpus, Math.floor(most / 3));
};

/** So many nodes are tried before all that hold the pod are looked for: on a cluster that is not full, one is soon found. */
const tries = 8;

/** Any node that holds the pod, and any of its GPUs that does. */
function chooserAtRandom(random: Random): Chooser {
  const { shapes } = chooserBy(() => 0);
  const any = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)];
  return {
    shapes,
    choose: (rooms, need) => {
      const holds = ({ shape, memoryMiB }: FixedRoom): boolean =>
        memoryMiB >= need.memoryMiB && shape.vcpuMilli >= need.vcpuMilli && shapes.moves(shape, need).length > 0;
      let room = any(rooms);
      for (let nth = 1; nth < tries && room && !holds(room); nth += 1) room = any(rooms);
      if (room && !holds(room)) room = any(rooms.filter(holds));
      const move = room && any(shapes.moves(room.shape, need));
      if (!room || !move) return undefined;
      return { room, move, gpus: gpuIndices(room.gpus, { need, move }) };
    },
  };
}

const gpuIndices = (gpus: readonly number[], { need, move }: { need: Need; move: Move }): readonly number[] =>
  need.gpus === 0 ? [] : gpus.flatMap((each, index) => (each === (move.shares ?? wholeGpu) ? [index] : [])).slice(0, need.gpus);
