import { join } from "node:path";
import { list, type ReadEntry } from "tar";
import { type Random, seeded } from "../../../lib/optimizer/engines/random.ts";
import { tabbedRowsOf } from "../fleet/data.ts";

/** Items for equal bins. `optimum` is the known fewest bins. Engines must not use it. */
export type Vectors = {
  readonly name: string;
  readonly capacity: readonly number[];
  readonly items: readonly (readonly number[])[];
  readonly optimum: number;
};

export type VectorSet = { readonly name: string; readonly instances: readonly Vectors[] };

/** Returns the instances of `vbp` in a folder of public data whose optimum is known, in order of name. */
export function publicVectors(data: string): readonly VectorSet[] {
  return ["New", "Panigrahy"].map((set) => {
    const summary = tabbedRowsOf(join(data, "vbp", `${set}_summary_known.csv.gz`));
    const optima = new Map(summary.map((row) => [row["instance_name"] ?? "", Number(row["OPT"])]));
    const instances = textsIn(join(data, "vbp", `${set}_instances.tar.gz`)).flatMap(({ path, text }): Vectors[] => {
      const name = /([^/]+)\.vbp$/.exec(path)?.[1];
      const optimum = optima.get(name ?? "") ?? -1;
      return name !== undefined && optimum > 0 ? [{ name, optimum, ...vectorsOf(text) }] : [];
    });
    return { name: set, instances: instances.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  });
}

/** Parses a file: the number of dimensions, the bin's sizes, the number of lines, then per line an item's sizes and its count. */
function vectorsOf(text: string): Pick<Vectors, "capacity" | "items"> {
  const [, capacity = [], , ...rows] = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/).map(Number));
  const items = rows.flatMap((row) => Array.from({ length: row[capacity.length] ?? 1 }, () => row.slice(0, capacity.length)));
  return { capacity, items };
}

function textsIn(file: string): { readonly path: string; readonly text: string }[] {
  const found: { path: string; parts: Buffer[] }[] = [];
  list({
    file,
    sync: true,
    onReadEntry: (entry: ReadEntry) => {
      const parts: Buffer[] = [];
      entry.on("data", (part) => parts.push(part));
      found.push({ path: entry.path, parts });
    },
  });
  return found.map(({ path, parts }) => ({ path, text: Buffer.concat(parts).toString("utf8") }));
}

/** Returns the made instances that ship with the project: full bins that are cut into items, so that their number is the optimum. */
export function madeVectors(): readonly VectorSet[] {
  const random = seeded(20_240_915);
  const shapes = [
    { bins: 8, parts: 3, dimensions: 3 },
    { bins: 20, parts: 4, dimensions: 2 },
    { bins: 30, parts: 6, dimensions: 5 },
    { bins: 50, parts: 8, dimensions: 3 },
  ];
  return [{ name: "made", instances: shapes.flatMap((shape) => Array.from({ length: 5 }, (_, nth) => made(shape, { nth, random }))) }];
}

const binSize = 1_000;

function made(of: { bins: number; parts: number; dimensions: number }, { nth, random }: { nth: number; random: Random }): Vectors {
  const items = Array.from({ length: of.bins }, () => {
    const cuts = Array.from({ length: of.dimensions }, () => cut(of.parts, random));
    return Array.from({ length: of.parts }, (_, part) => ({ item: cuts.map((each) => each[part] ?? 0), at: random() }));
  })
    .flat()
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
  const capacity = Array.from({ length: of.dimensions }, () => binSize);
  return { name: `made_${of.bins}x${of.parts}_${of.dimensions}_${nth}`, capacity, items, optimum: of.bins };
}

/** Cuts a bin's size into parts, none of which is 0. */
function cut(parts: number, random: Random): readonly number[] {
  const at = Array.from({ length: parts - 1 }, (_, index) => index + 1 + Math.floor(random() * (binSize - parts))).sort((a, b) => a - b);
  return [...at, binSize].map((end, index) => end - (at[index - 1] ?? 0));
}
