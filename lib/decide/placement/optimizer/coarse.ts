import { keyOf } from "./classes.ts";
import type { Shape } from "./instance.ts";

/** How far apart sizes of one shape may be at first, as a ratio. */
const finest = 1.02;

/**
 * At most about so many shapes: those of nearly one size become one, as large as the largest of them in each dimension (or, for bounds, as
 * small as the smallest). What holds them then holds each of the jobs.
 */
export function coarse(shapes: readonly Shape[], most: number, towards: "up" | "down"): readonly Shape[] {
  if (shapes.length <= most) return shapes;
  const traits = shapes.map(traitOf);
  for (let ratio = finest; ; ratio = ratio ** 1.5) {
    const groups = new Map<string, Shape[]>();
    for (const [index, shape] of shapes.entries()) {
      const key = `${traits[index]} ${Array.from(shape.size, (size) => (size === 0 ? "-" : Math.ceil(Math.log(size) / Math.log(ratio)))).join()}`;
      const group = groups.get(key);
      if (group) group.push(shape);
      else groups.set(key, [shape]);
    }
    // Sizes that differ in nothing but what must not be joined cannot be made fewer.
    if (groups.size <= most || ratio > 1e6) return [...groups.values()].map((group) => joined(group, towards));
  }
}

/** What jobs of one shape must have in common. */
function traitOf({ whole, share, classes: [one] }: Shape): string {
  return `${whole} ${share > 0} ${one ? keyOf({ size: [], gpu: one.gpu && { ...one.gpu, count: 0 }, spot: one.spot, data: one.data }) : ""}`;
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
    classes: group.flatMap((each) => each.classes).sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0)),
  };
}
