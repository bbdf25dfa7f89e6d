import type { LinearProgram, ProgramRow, SolveProgram } from "../../model/planning/linear-program.ts";
import { noKind, waitingCost } from "../bounds/first-patterns.ts";
import type { BinPattern } from "../bounds/master.ts";
import type { BinKind, Instance } from "../problem/instance.ts";
import { allLoads } from "./all-loads.ts";
import type { Engine, Slice } from "./engine.ts";
import { type BinPacking, type Bins, costOf, packingOf, trimmed } from "./packing.ts";

const maxPatterns = 5_000;
/** With more jobs than this there are too many patterns to list. */
const maxJobs = 40;
/** A limit on branches, not on milliseconds, so that the same problem always has the same solution. */
const maxBranches = 2_000;

/**
 * Engine `exact`: the set-covering formulation of packing (Gilmore and Gomory, 1961), with all patterns listed beforehand instead of
 * generated. The given solver (HiGHS: branch and cut) solves it in whole numbers, so a small problem gets a proven optimum. If jobs have
 * a cost of their own on a bin, it is set partitioning, because no job may be covered twice.
 *
 * The number of patterns is exponential in the jobs of a bin, so it gives up above `maxJobs` jobs or `maxPatterns` patterns, and if the
 * instance was made coarser. Above `maxBranches` branches the best packing found is returned without a proof.
 */
export class ExactSetCovering implements Engine {
  readonly #instance: Instance;
  readonly #solve: SolveProgram;

  constructor(instance: Instance, solve: SolveProgram) {
    this.#instance = instance;
    this.#solve = solve;
  }

  improve(): Slice {
    const patterns = allPatterns(this.#instance);
    if (!patterns) return { packing: undefined, steps: maxPatterns, isDone: true };
    const result = this.#solve(programOf(this.#instance, patterns), { nodes: maxBranches });
    const steps = 1_000 + patterns.length * 100;
    if (result.kind !== "solved") return { packing: undefined, steps, isDone: true };
    const packing = this.#packed(patterns, result.values);
    return { packing, steps, isDone: true, ...(result.proven && packing.waits === 0 ? { bound: packing.cost } : {}) };
  }

  #packed(patterns: readonly BinPattern[], values: readonly number[]): BinPacking {
    const left = Float64Array.from(this.#instance.shapes, (shape) => shape.count);
    const bins = patterns.flatMap((pattern, index): Bins[] => {
      if (pattern.kind === noKind) return [];
      return Array.from({ length: Math.round(values[index] ?? 0) }, () => trimmed(pattern, left)).flatMap((load) =>
        load ? [{ ...load, kind: pattern.kind, times: 1 }] : [],
      );
    });
    return packingOf(this.#instance, bins, left);
  }
}

/** Returns all patterns that an optimal packing may use, or undefined if there are too many. */
function allPatterns(instance: Instance): readonly BinPattern[] | undefined {
  if (!instance.isExact || instance.shapes.reduce((sum, shape) => sum + shape.count, 0) > maxJobs) return undefined;
  const patterns = instance.shapes.map((_, shape): BinPattern => ({ kind: noKind, shapes: [shape], counts: [1], cost: waitingCost }));
  // If jobs have a cost of their own, none may be covered twice, so loads that are not full are needed too.
  const onlyFull = !hasExtras(instance);
  for (const [index, kind] of instance.kinds.entries()) {
    const loads = allLoads(instance, kind, { most: maxPatterns - patterns.length, onlyFull });
    if (!loads) return undefined;
    patterns.push(...loads.map((load) => ({ ...load, kind: index, cost: costOf(kind, load) })));
  }
  return patterns;
}

const hasExtras = ({ kinds }: Instance): boolean => kinds.some((kind) => kind.extra !== undefined);

function programOf(instance: Instance, patterns: readonly BinPattern[]): LinearProgram {
  const demand = instance.shapes.map((): [number, number][] => []);
  const bins = instance.kinds.map((): [number, number][] => []);
  for (const [column, { shapes, counts, kind }] of patterns.entries()) {
    for (const [at, shape] of shapes.entries()) demand[shape]?.push([column, counts[at] as number]);
    bins[kind]?.push([column, 1]);
  }
  const isOnce = hasExtras(instance);
  const rows = instance.shapes.map(
    ({ count }, shape): ProgramRow => ({ lower: count, upper: isOnce ? count : undefined, terms: demand[shape] ?? [] }),
  );
  const scarce = instance.kinds.flatMap((kind: BinKind, index): ProgramRow[] =>
    kind.most > maxJobs ? [] : [{ upper: kind.most, terms: bins[index] ?? [] }],
  );
  return { columns: patterns.map(({ cost }) => ({ cost, whole: true })), rows: [...rows, ...scarce] };
}
