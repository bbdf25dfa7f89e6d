import {
  type NodeType,
  type PerformancePrices,
  type PerResource,
  type ResourceName,
  resourceNames,
} from "../../model/planning/capacity.ts";
import type { LinearProgram, ProgramColumn, ProgramRow } from "../../model/planning/linear-program.ts";

export type CapacityProblem = {
  readonly demand: PerResource;
  readonly types: readonly NodeType[];
  readonly prices: PerformancePrices;
};

/** The program, and which of its rows belong to which resource. */
export type CapacityProgram = {
  readonly program: LinearProgram;
  /** Rows whose bound is the demand of a resource. */
  readonly rowsOf: Readonly<Record<ResourceName, readonly number[]>>;
};

/** Returns f, what one node of this type costs. */
export const costOf = ({ cost }: NodeType): number => cost.hardware + cost.software + cost.network;

/**
 * Returns the program: minimize f + g over whole nodes of each type. For each resource, what is bought plus what goes unmet must be at
 * least the demand. In a second row, what is bought without the headroom, plus unmet, plus waiting must be too. The first columns are
 * the types, in their order.
 */
export function capacityProgram({ demand, types, prices }: CapacityProblem): CapacityProgram {
  const columns: ProgramColumn[] = types.map((type) => ({
    cost: costOf(type) + type.loss + prices.perNode,
    upper: type.most,
    whole: true,
  }));
  const rows: ProgramRow[] = [];
  const rowsOf = { compute: [] as number[], storage: [] as number[], bandwidth: [] as number[] };
  const column = (cost: number): readonly [number, number] => [columns.push({ cost }) - 1, 1];
  for (const name of resourceNames) {
    const bought = (part: number) => types.map(({ offers }, index): readonly [number, number] => [index, offers[name] * part]);
    const unmet = Number.isFinite(prices.shortfall[name]) ? [column(prices.shortfall[name])] : [];
    const row = (terms: ProgramRow["terms"]): void => {
      rowsOf[name].push(rows.push({ lower: demand[name], terms: terms.filter(([, factor]) => factor !== 0) }) - 1);
    };
    row([...bought(1), ...unmet]);
    if (prices.headroom > 0 && prices.waiting[name] > 0) row([...bought(1 - prices.headroom), ...unmet, column(prices.waiting[name])]);
  }
  return { program: { columns, rows }, rowsOf };
}

/** Returns the same program, but for the fewest nodes that cost no more than `cost`: the smallest of equally cheap fleets. */
export function fewestNodes({ columns, rows }: LinearProgram, types: number, cost: number): LinearProgram {
  const priced = columns.map((column, index): readonly [number, number] => [index, column.cost]).filter(([, factor]) => factor !== 0);
  return {
    columns: columns.map((column, index) => ({ ...column, cost: index < types ? 1 : 0 })),
    rows: [...rows, { upper: cost, terms: priced }],
  };
}
