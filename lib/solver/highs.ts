import type { Highs, Model, ModelData, ModelStatusCode } from "highs";
import type { LinearProgram, ProgramResult, SolveLimits, SolveProgram } from "../model/planning/linear-program.ts";

/** The smallest relative gap that doubles allow for sums of prices. */
const defaultGap = 1e-9;

let loading: Promise<Highs> | undefined;

/**
 * Loads HiGHS, compiled to WebAssembly, on the first call, because that takes about 50 ms and 30 MB. If loading fails, the next call
 * tries again.
 */
export async function loadHighs(): Promise<SolveProgram> {
  loading ??= import("highs").then((module) => loaderOf(module)());
  const highs = await loading.catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return (program, limits = {}) =>
    program.columns.length === 0
      ? withoutColumns(program)
      : highs.withModel(dataOf(highs, program, limits), (model) => resultOf(highs, model, { program, limits }));
}

type Loader = typeof import("highs")["default"];

/** The package's types describe a CommonJS module, whose default is one level deeper than in the module that Node loads. */
const loaderOf = (module: { readonly default: unknown }): Loader => module.default as Loader;

type SolveRequest = { readonly program: LinearProgram; readonly limits: SolveLimits };

function resultOf(highs: Highs, model: Model, { program, limits }: SolveRequest): ProgramResult {
  const { modelStatus } = highs.constants;
  model.options.set({
    output_flag: false,
    mip_rel_gap: limits.gap ?? defaultGap,
    mip_abs_gap: 0,
    ...(limits.ms === undefined ? {} : { time_limit: limits.ms / 1_000 }),
    ...(limits.nodes === undefined ? {} : { mip_max_nodes: limits.nodes }),
  });
  model.run();
  // Presolve may not distinguish an infeasible program from an unbounded one, so solve it again without presolve.
  if (model.getModelStatus() === modelStatus.unboundedOrInfeasible) {
    model.options.set("presolve", "off");
    model.run();
  }
  const status = model.getModelStatus();
  if (status === modelStatus.infeasible) return { kind: "infeasible", rows: [...model.getIis().rowIndex].toSorted((a, b) => a - b) };
  if (status === modelStatus.unbounded) return { kind: "unbounded" };
  const proven = status === modelStatus.optimal;
  if (!proven && model.info.get("primal_solution_status") !== feasible) return { kind: "unanswered", reason: wordsOf(highs, status) };
  const isWhole = hasWhole(program, limits);
  const cost = model.getObjectiveValue();
  const { colValue, rowDual } = model.getSolution();
  return {
    kind: "solved",
    proven,
    cost,
    bound: isWhole ? Number(model.info.get("mip_dual_bound")) : proven ? cost : Number.NEGATIVE_INFINITY,
    values: Array.from(colValue, (value, index) => (isWhole && program.columns[index]?.whole ? Math.round(value) : value)),
    // Adding 0 turns -0 into 0.
    ...(isWhole ? {} : { prices: Array.from(rowDual, (price) => price + 0) }),
  };
}

/** Solves a program without columns, because HiGHS does not accept one. */
function withoutColumns({ rows }: LinearProgram): ProgramResult {
  const broken = [...rows.keys()].filter((index) => (rows[index]?.lower ?? 0) > 0 || (rows[index]?.upper ?? 0) < 0);
  if (broken.length > 0) return { kind: "infeasible", rows: broken };
  return { kind: "solved", proven: true, cost: 0, bound: 0, values: [], prices: rows.map(() => 0) };
}

/** The status by which HiGHS reports a point that satisfies all rows. */
const feasible = 2;

const hasWhole = ({ columns }: LinearProgram, { relaxed }: SolveLimits): boolean => !relaxed && columns.some(({ whole }) => whole);

/** Returns a status in words, for example "time limit". */
function wordsOf(highs: Highs, status: ModelStatusCode): string {
  const name = Object.entries(highs.constants.modelStatus).find(([, code]) => code === status)?.[0];
  return name?.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) ?? `status ${status}`;
}

/** Returns the program as HiGHS's model, with its rows as sparse arrays. */
function dataOf({ constants, infinity }: Highs, program: LinearProgram, limits: SolveLimits): ModelData {
  const { columns, rows } = program;
  const starts = new Int32Array(rows.length + 1);
  for (const [index, { terms }] of rows.entries()) starts[index + 1] = (starts[index] ?? 0) + terms.length;
  const terms = rows.flatMap((row) => row.terms);
  const { variableType } = constants;
  return {
    numCols: columns.length,
    numRows: rows.length,
    colCost: columns.map(({ cost }) => cost),
    colLower: columns.map(({ lower }) => lower ?? 0),
    colUpper: columns.map(({ upper }) => upper ?? infinity),
    rowLower: rows.map(({ lower }) => lower ?? -infinity),
    rowUpper: rows.map(({ upper }) => upper ?? infinity),
    matrix: {
      format: "csr",
      numCols: columns.length,
      numRows: rows.length,
      starts,
      indices: terms.map(([column]) => column),
      values: terms.map(([, factor]) => factor),
    },
    ...(hasWhole(program, limits)
      ? { integrality: columns.map(({ whole }) => (whole ? variableType.integer : variableType.continuous)) }
      : {}),
  };
}
