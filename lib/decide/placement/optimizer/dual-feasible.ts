import type { Instance, Kind, Shape } from "./instance.ts";
import { unit } from "./units.ts";

/** Above so many numbers a kind is measured by its dimensions alone. */
const mostNumbers = 200_000;

/** By item and row, what an item takes up of a bin, of 1: whatever fits in one bin sums to 1 at most, in every row. */
export type Uses = { readonly rows: number; readonly uses: Float64Array };

/**
 * Fekete and Schepers' functions u(k), k = 1 to 4, of each dimension and of the single GPUs: they know that three jobs of just over
 * a third do not fit where two do. Rows that say no more than their dimension itself does are left out.
 */
export function dualFeasible(instance: Instance, kind: Kind): Uses {
  const { dimensions } = instance;
  const shapes = Array.from(kind.holds, (index) => instance.shapes[index] as Shape);
  const plain = Array.from({ length: dimensions }, (_, dimension) => dimension).filter((dimension) => (kind.room[dimension] as number) > 0);
  const columns = plain.map((dimension) => shapes.map((shape) => (shape.size[dimension] as number) / (kind.room[dimension] as number)));
  if (shapes.length * dimensions * 5 <= mostNumbers) {
    const strong = plain.flatMap((dimension, row) =>
      [1, 2, 3, 4].flatMap((k) => {
        const seen = shapes.map((shape) => stepped(shape.size[dimension] as number, kind.room[dimension] as number, k));
        return seen.some((value, item) => value > (columns[row]?.[item] as number) + 1e-12) ? [seen] : [];
      }),
    );
    columns.push(...strong, ...bySlot(shapes, kind));
  }
  const rows = columns.length;
  const uses = new Float64Array(rows * shapes.length);
  for (const [row, column] of columns.entries()) for (const [item, value] of column.entries()) uses[item * rows + row] = value;
  return { rows, uses };
}

/** Each GPU is a bin of its own; whole ones fill theirs. Says nothing where GPUs are partly taken. */
function bySlot(shapes: readonly Shape[], { slots }: Kind): number[][] {
  if (slots.length === 0 || slots.some((free) => free < unit) || !shapes.some((shape) => shape.share > 0)) return [];
  return [1, 2, 3, 4].map((k) =>
    shapes.map(({ share, whole }) => (share > 0 ? stepped(share, unit, k) / slots.length : whole / slots.length)),
  );
}

/** u(k) of size / room, both integers. */
function stepped(size: number, room: number, k: number): number {
  const times = (k + 1) * size;
  return times % room === 0 ? size / room : Math.floor(times / room) / k;
}
