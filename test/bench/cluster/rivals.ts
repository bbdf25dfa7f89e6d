import type { Random } from "../../../lib/optimizer/engines/random.ts";
import { type Chooser, chooserBy, type FixedRoom, type Judge } from "../research/fixed/choose.ts";
import { type Demand, gpuTotal, isShared, type Need, nameOfKind, wholeGpu } from "../research/fixed/needs.ts";
import { accepts, type Move, type Shape } from "../research/fixed/shapes.ts";

/**
 * Rules of other schedulers, as in the simulator of FGD's authors (hkust-adsl/kubernetes-scheduler-simulator,
 * pkg/simulator/plugin). Each rule scores a node with a whole number up to 100, and the first of the best nodes in the cluster's order
 * gets the pod. If a rule does not choose GPUs, the fullest GPU that holds the pod is taken.
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
const maxVcpuMilli = 128_000;
const maxGpuMilli = 8_000;
const free = ({ gpus }: Shape): number => gpus.reduce((sum, each) => sum + each, 0);

/** FGD (Weng et al., USENIX ATC 2023): scores how much the free GPUs of the node that a typical pod cannot use would decrease. */
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

/** Returns the free GPUs of a node that pods like this one cannot use: all if the node holds no such pod, else those that are too full. */
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

/** Returns the most frequent kinds, which together are 95 % of all pods. */
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

/** Makes a score of nodes a judge of moves that chooses the fullest GPU of a node that holds the pod. */
const atFullestGpu =
  (score: NodeScore): Judge =>
  (from, move, need) =>
    move.shares === undefined || move.shares === from.gpus.find((each) => each >= need.gpuMilli)
      ? score(from, need)
      : Number.NEGATIVE_INFINITY;

/** Prefers nodes with the least vCPUs and GPUs left, as shares of the largest node's. */
const bestFit: NodeScore = (from, need) =>
  Math.floor(most * (1 - ((from.vcpuMilli - need.vcpuMilli) / maxVcpuMilli / 2 + (free(from) - gpuTotal(need)) / maxGpuMilli / 2)));

/** The alignment of Tetris, but reversed, as in the simulator: prefers the smallest product of what is free and what is wanted. */
const dotProduct: NodeScore = (from, need) =>
  Math.floor(most * (1 - ((from.vcpuMilli * need.vcpuMilli) / maxVcpuMilli ** 2 + (free(from) * gpuTotal(need)) / maxGpuMilli ** 2) / 2));

/** Prefers GPUs that are in use to free ones, and nodes that are in use to empty ones. */
const packing: NodeScore = (from, need) => {
  if (need.gpuMilli === 0) return 0;
  const whole = from.gpus.filter((each) => each === wholeGpu).length;
  if (whole === from.gpus.length) return Math.max(Math.floor(most / 3) - whole, whole);
  const fullest = from.gpus.find((each) => each >= need.gpuMilli) ?? wholeGpu;
  if (isShared(need) && fullest < wholeGpu) return Math.max(most - Math.floor(Math.floor(fullest / 10) / 10), most / 2);
  return Math.max(most / 2 - need.gpus, Math.floor(most / 3));
};

/** The number of nodes tried at random before all are searched, because one that holds the pod is soon found if the cluster is not full. */
const tries = 8;

/** Chooses any node that holds the pod, and any of its GPUs that does. */
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
