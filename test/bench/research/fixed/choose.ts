import { type Demand, isShared, type Need, nameOfKind, wholeGpu } from "./needs.ts";
import { type Move, newShapes, type Shape, type Shapes } from "./shapes.ts";
import { usefulnessFor } from "./usefulness.ts";

/** A node of a fleet of fixed size, in its initial state. */
export type FixedNode = {
  readonly name: string;
  readonly model: string;
  readonly vcpuMilli: number;
  readonly memoryMiB: number;
  /** The free part of each GPU, in thousandths, by its index. */
  readonly gpus: readonly number[];
};

/** The rest of a node while jobs arrive. */
export type FixedRoom = { readonly node: FixedNode; shape: Shape; memoryMiB: number; readonly gpus: number[] };

/** The place of a job. `gpus` has the indices of its GPUs. */
export type Choice = { readonly room: FixedRoom; readonly move: Move; readonly gpus: readonly number[] };

/** Returns how good a move is. Higher is better. */
export type Judge = (from: Shape, move: Move, need: Need) => number;

/** Returns the rooms of nodes in order of name, because the first of equally good places is taken. */
export const fixedRooms = (nodes: readonly FixedNode[], shapes: Shapes): readonly FixedRoom[] =>
  nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((node) => roomOf(node, shapes));

export const roomOf = (node: FixedNode, shapes: Shapes): FixedRoom => ({
  node,
  shape: shapes.of(node),
  memoryMiB: node.memoryMiB,
  gpus: [...node.gpus],
});

export type Chooser = {
  readonly shapes: Shapes;
  /** Returns the best place for a job, or undefined if no node holds it. It does not take the place; see `take`. */
  readonly choose: (rooms: readonly FixedRoom[], need: Need) => Choice | undefined;
};

/** Returns a chooser that puts each job where the rest stays most useful to the other jobs that are expected. */
export function mostUseful(demand: Demand): Chooser {
  const usefulness = usefulnessFor(demand);
  return chooserBy((from, move) => usefulness(move.to) - usefulness(from));
}

/** Returns a chooser that follows a judge. It asks the judge once per shape and kind of job. */
export function chooserBy(judge: Judge): Chooser {
  const shapes = newShapes();
  const bestByKind = new Map<string, (Best | undefined)[]>();
  return {
    shapes,
    choose: (rooms, need) => {
      const kind = nameOfKind(need);
      const bestOf = bestByKind.get(kind) ?? [];
      bestByKind.set(kind, bestOf);
      let chosen: { room: FixedRoom; move: Move; score: number } | undefined;
      for (const room of rooms) {
        if (room.memoryMiB < need.memoryMiB) continue;
        const { shape } = room;
        const best = bestOf[shape.number] ?? bestMove(shape, need, { shapes, judge });
        bestOf[shape.number] = best;
        if (best !== "none" && (!chosen || best.score > chosen.score)) chosen = { room, ...best };
      }
      return chosen && { room: chosen.room, move: chosen.move, gpus: gpusFor(need, chosen) };
    },
  };
}

type Best = { readonly move: Move; readonly score: number } | "none";

function bestMove(from: Shape, need: Need, { shapes, judge }: { shapes: Shapes; judge: Judge }): Best {
  let best: Best = "none";
  for (const move of shapes.moves(from, need)) {
    const score = judge(from, move, need);
    if (best === "none" || score > best.score) best = { move, score };
  }
  return best;
}

function gpusFor(need: Need, { room, move }: { room: FixedRoom; move: Move }): readonly number[] {
  if (need.gpus === 0) return [];
  const wanted = isShared(need) ? move.shares : wholeGpu;
  return room.gpus.flatMap((free, index) => (free === wanted ? [index] : [])).slice(0, need.gpus);
}

/** Takes what the job needs from the node. */
export function take({ room, move, gpus }: Choice, need: Need): void {
  room.memoryMiB -= need.memoryMiB;
  room.shape = move.to;
  for (const index of gpus) room.gpus[index] = (room.gpus[index] ?? 0) - need.gpuMilli;
}
