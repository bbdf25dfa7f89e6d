import { isShared, type Need, nameOfKind, wholeGpu } from "./needs.ts";

/**
 * What is free on a node, without its memory and its name. Nodes have the same shapes again and again, so each shape is created once, and
 * results for it hold for every node that has it. With memory, almost no shape would recur. Memory is rarely scarce in comparison with
 * GPUs, so it decides only whether a job fits, not where it fits best.
 */
export type Shape = {
  /** Counts from 0, in the order of creation. */
  readonly number: number;
  readonly model: string;
  readonly vcpuMilli: number;
  /** The free part of each GPU, in thousandths, ascending. */
  readonly gpus: readonly number[];
};

/** One way to put a job on a node. */
export type Move = {
  readonly to: Shape;
  /** The free part of the GPU that it shares, before it takes its own. Undefined if it shares none. */
  readonly shares?: number | undefined;
};

export type Shapes = {
  readonly of: (node: Pick<Shape, "model" | "vcpuMilli" | "gpus">) => Shape;
  /** Returns the ways in which the job fits, the fullest GPU first. Empty if it does not fit. */
  readonly moves: (from: Shape, need: Need) => readonly Move[];
};

export function newShapes(): Shapes {
  const known = new Map<string, Shape>();
  const of: Shapes["of"] = ({ model, vcpuMilli, gpus }) => {
    const ascending = gpus.toSorted((a, b) => a - b);
    const name = `${model}/${vcpuMilli}/${ascending.join()}`;
    const shape = known.get(name) ?? { number: known.size, model, vcpuMilli, gpus: ascending };
    known.set(name, shape);
    return shape;
  };
  const movesByKind = new Map<string, (readonly Move[] | undefined)[]>();
  return {
    of,
    moves: (from, need) => {
      const kind = nameOfKind(need);
      const ofKind = movesByKind.get(kind) ?? [];
      movesByKind.set(kind, ofKind);
      const moves = ofKind[from.number] ?? movesOf(from, need, of);
      ofKind[from.number] = moves;
      return moves;
    },
  };
}

function movesOf(from: Shape, need: Need, of: Shapes["of"]): readonly Move[] {
  const vcpuMilli = from.vcpuMilli - need.vcpuMilli;
  if (vcpuMilli < 0 || !accepts(from, need)) return [];
  const left = (gpus: readonly number[]): Shape => of({ model: from.model, vcpuMilli, gpus });
  if (need.gpus === 0) return [{ to: left(from.gpus) }];
  if (isShared(need)) {
    return [...new Set(from.gpus)]
      .filter((free) => free >= need.gpuMilli)
      .map((shares) => ({ shares, to: left(from.gpus.with(from.gpus.indexOf(shares), shares - need.gpuMilli)) }));
  }
  const whole = from.gpus.filter((free) => free === wholeGpu).length;
  if (whole < need.gpus) return [];
  const used = from.gpus.length - need.gpus;
  return [{ to: left(from.gpus.map((free, at) => (at >= used ? 0 : free))) }];
}

/** Reports whether jobs with this need may run on GPUs of this shape's model. */
export const accepts = ({ model }: Pick<Shape, "model">, { gpus, models }: Need): boolean =>
  gpus === 0 || models.length === 0 || models.includes(model);
