import type { BinKind, Instance } from "../problem/instance.ts";
import type { Shape } from "../problem/shape.ts";
import { unit } from "../problem/units.ts";

/** If a kind would need more numbers than this, only its plain dimensions are used. */
const maxNumbers = 200_000;

/** The share of a bin that an item takes, by item and row. Items that fit in one bin together sum to at most 1 in every row. */
export type Uses = { readonly rows: number; readonly uses: Float64Array };

/**
 * Returns Fekete and Schepers' functions u(k) (2001), k = 1 to 4, for each dimension and for single GPUs. They prove, for example, that a
 * bin holds no more than two jobs if each takes just over a third of it. A row is left out if it is no stronger than its plain dimension.
 */
export function dualFeasible(instance: Instance, kind: BinKind): Uses {
  const { dimensions } = instance;
  const shapes = Array.from(kind.holds, (index) => instance.shapes[index] as Shape);
  const isStrong = shapes.length * dimensions * (1 + steps.length) <= maxNumbers;
  const columns: Float64Array[] = [];
  for (let dimension = 0; dimension < dimensions; dimension += 1) {
    const room = kind.room[dimension] as number;
    if (room <= 0) continue;
    const plain = columnOf(shapes, (shape) => (shape.size[dimension] as number) / room);
    columns.push(plain);
    if (isStrong) columns.push(...strongerThan(plain, shapes, { dimension, room }));
  }
  if (isStrong) columns.push(...bySlot(shapes, kind));
  const rows = columns.length;
  const uses = new Float64Array(rows * shapes.length);
  for (const [row, column] of columns.entries())
    for (let item = 0; item < column.length; item += 1) uses[item * rows + row] = column[item] as number;
  return { rows, uses };
}

function columnOf(shapes: readonly Shape[], of: (shape: Shape) => number): Float64Array {
  const column = new Float64Array(shapes.length);
  for (let item = 0; item < shapes.length; item += 1) column[item] = of(shapes[item] as Shape);
  return column;
}

const steps = [1, 2, 3, 4] as const;

function strongerThan(plain: Float64Array, shapes: readonly Shape[], of: { dimension: number; room: number }): Float64Array[] {
  const largest = plain.reduce((most, each) => Math.max(most, each), 0);
  return steps.flatMap((k) => {
    // u(k) is 0 for sizes below 1 / (k + 1).
    if (largest * (k + 1) < 1) return [];
    const seen = columnOf(shapes, (shape) => stepped(shape.size[of.dimension] as number, of.room, k));
    for (let item = 0; item < seen.length; item += 1) if ((seen[item] as number) > (plain[item] as number) + 1e-12) return [seen];
    return [];
  });
}

/** Treats each GPU as a bin of its own, which a whole GPU fills. Returns no rows if some GPUs are partly taken. */
function bySlot(shapes: readonly Shape[], { slots }: BinKind): Float64Array[] {
  if (slots.length === 0 || slots.some((free) => free < unit) || !shapes.some((shape) => shape.share > 0)) return [];
  return steps.map((k) =>
    columnOf(shapes, ({ share, whole }) => (share > 0 ? stepped(share, unit, k) / slots.length : whole / slots.length)),
  );
}

/** Returns u(k) of size / room. Both must be integers. */
function stepped(size: number, room: number, k: number): number {
  const times = (k + 1) * size;
  return times % room === 0 ? size / room : Math.floor(times / room) / k;
}
