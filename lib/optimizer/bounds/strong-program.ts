import type { LinearProgram, ProgramColumn, ProgramRow } from "../../model/planning/linear-program.ts";
import type { Instance } from "../problem/instance.ts";
import { dualFeasible } from "./dual-feasible.ts";

/**
 * Returns the bound as one linear program for a solver. The variables are the number of bins of each kind and the amount of each shape in
 * them, and no row of a kind may be overfull. Its optimum is the value to which `lowerBound` converges. The prices of its first rows, one
 * per shape, are the duals.
 */
export function strongProgram(instance: Instance): LinearProgram {
  const columns: ProgramColumn[] = [];
  const demand = instance.shapes.map((): [number, number][] => []);
  const rows: ProgramRow[] = [];
  for (const kind of instance.kinds) {
    const bins = columns.length;
    columns.push({ cost: kind.price, upper: kind.price === 0 ? kind.most : undefined });
    const { rows: measures, uses } = dualFeasible(instance, kind);
    const first = columns.length;
    for (const shape of kind.holds) {
      demand[shape]?.push([columns.length, 1]);
      columns.push({ cost: kind.extra?.[shape] ?? 0 });
    }
    for (let measure = 0; measure < measures; measure += 1) {
      const terms = Array.from(kind.holds, (_, item): [number, number] => [first + item, uses[item * measures + measure] as number]);
      rows.push({ upper: 0, terms: [...terms.filter(([, uses]) => uses !== 0), [bins, -1]] });
    }
  }
  return { columns, rows: [...demand.map((terms, shape) => ({ lower: instance.shapes[shape]?.count ?? 0, terms })), ...rows] };
}
