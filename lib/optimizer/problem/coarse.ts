import { dataKey } from "./classes.ts";
import { traitKey } from "./match.ts";
import type { Shape } from "./shape.ts";
import { byUrgency } from "./urgency.ts";

/** The first ratio up to which sizes are joined into one shape. */
const finest = 1.02;

/**
 * Reduces shapes to about `most`. Shapes of nearly the same size become one, as large as the largest of them in each dimension, so that
 * a bin that holds the shape holds each of its jobs. For bounds (`down`), the shape is as small as the smallest of them.
 */
export function coarse(shapes: readonly Shape[], most: number, towards: "up" | "down"): readonly Shape[] {
  if (shapes.length <= most) return shapes;
  const traits = shapes.map(traitOf);
  const logs = shapes.map((shape) => shape.size.map(Math.log));
  for (let ratio = finest; ; ratio = ratio ** 1.5) {
    // If only shapes are left that must not be joined, there may be more than `most`.
    const groups = grouped(shapes, { traits, logs, step: Math.log(ratio), most: ratio > 1e6 ? Number.POSITIVE_INFINITY : most });
    if (groups) return groups.map((group) => joined(group, towards));
  }
}

type Grid = { readonly traits: readonly string[]; readonly logs: readonly Float64Array[]; readonly step: number; readonly most: number };

/** Groups shapes by their cell of the grid. Returns undefined if there are more cells than `most`. */
function grouped(shapes: readonly Shape[], { traits, logs, step, most }: Grid): readonly (readonly Shape[])[] | undefined {
  const groups = new Map<string, Shape[]>();
  for (const [index, shape] of shapes.entries()) {
    let key = traits[index] as string;
    for (const log of logs[index] as Float64Array) key += `,${Math.ceil(log / step)}`;
    const group = groups.get(key);
    if (group) group.push(shape);
    else if (groups.size >= most) return undefined;
    else groups.set(key, [shape]);
  }
  return [...groups.values()];
}

/** Returns a key of what jobs of one shape must have in common, in addition to their size. */
function traitOf({ whole, share, classes: [one] }: Shape): string {
  return `${whole} ${share > 0} ${one ? `${traitKey(one)} ${dataKey(one.data)}` : ""}`;
}

function joined(group: readonly Shape[], towards: "up" | "down"): Shape {
  const [first, ...others] = group as readonly [Shape, ...Shape[]];
  const extreme = towards === "up" ? Math.max : Math.min;
  const size = first.size.slice();
  for (const other of others)
    for (let dimension = 0; dimension < size.length; dimension += 1)
      size[dimension] = extreme(size[dimension] as number, other.size[dimension] as number);
  return {
    size,
    whole: first.whole,
    share: group.reduce((share, each) => extreme(share, each.share), first.share),
    count: group.reduce((sum, each) => sum + each.count, 0),
    classes: group.flatMap((each) => each.classes).sort(byUrgency),
  };
}
