import { type Demand, isShared, type Need, nameOfKind, wholeGpu } from "./needs.ts";
import { type Move, newShapes, type Shape, type Shapes } from "./shapes.ts";
import { usefulnessFor } from "./usefulness.ts";

/** A node of a fleet that does not grow, as it is found. */
export type FixedNode = {
  readonly name: string;
  readonly model: string;
  readonly vcpuMilli: number;
  readonly memoryMiB: number;
  /** What is left of each GPU, in thousandths, by its index. */
  readonly gpus: readonly number[];
};

/** What is left of a node while jobs come. */
export type FixedRoom = { readonly node: FixedNode; shape: Shape; memoryMiB: number; readonly gpus: number[] };

/** Where a job goes. `gpus`: indices of those it is given. */
export type Choice = { readonly room: FixedRoom; readonly move: Move; readonly gpus: readonly number[] };

/** How good a way of placing a job is; the higher the better. */
export type Judge = (from: Shape, move: Move, need: Need) => number;

/** In order of name: of places that are equally good, the first is taken. */
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
  /** The best place for a job, at once and for good; undefined where nothing holds it. It takes nothing: see `take`. */
  readonly choose: (rooms: readonly FixedRoom[], need: Need) => Choice | undefined;
};

/** Puts each job where what is left stays most useful to the others that are expected. */
export function mostUseful(demand: Demand): Chooser {
  const usefulness = usefulnessFor(demand);
  return chooserBy((from, move) => usefulness(move.to) - usefulness(from));
}

/** Puts each job where the judge says; what it says of a shape and a kind of job is asked once. */
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

/** Takes what the job needs. */
export function take({ room, move, gpus }: Choice, need: Need): void {
  room.memoryMiB -= need.memoryMiB;
  room.shape = move.to;
  for (const index of gpus) room.gpus[index] = (room.gpus[index] ?? 0) - need.gpuMilli;
}
