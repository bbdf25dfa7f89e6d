/** A linear program: minimize the cost of the columns such that each row is within its bounds. Some columns may have to be whole. */
export type LinearProgram = {
  readonly columns: readonly ProgramColumn[];
  readonly rows: readonly ProgramRow[];
};

/** A variable of the program. */
export type ProgramColumn = {
  /** The cost of one unit. */
  readonly cost: number;
  /** @default 0 */
  readonly lower?: number | undefined;
  /** @default no bound */
  readonly upper?: number | undefined;
  /** Whether its value must be a whole number. */
  readonly whole?: boolean | undefined;
};

/** A constraint: `lower ≤ Σ factor · column ≤ upper`. */
export type ProgramRow = {
  /** @default no bound */
  readonly lower?: number | undefined;
  /** @default no bound */
  readonly upper?: number | undefined;
  /** Each column, by its index, at most once. */
  readonly terms: readonly (readonly [column: number, factor: number])[];
};

/** When to stop before the optimum is proven. The same program and limits give the same result, unless `ms` ended the search. */
export type SolveLimits = {
  /** Milliseconds; undefined for no limit. */
  readonly ms?: number | undefined;
  /** The most branches of the search for whole numbers; undefined for no limit. */
  readonly nodes?: number | undefined;
  /** How far above its bound the cost may be, as a fraction of it. @default 1e-9 */
  readonly gap?: number | undefined;
  /** Whether to solve the relaxation, in which no column has to be whole. */
  readonly relaxed?: boolean | undefined;
};

export type ProgramResult =
  | {
      readonly kind: "solved";
      /** Whether the cost is proven to be the least, within the gap. If not, a limit ended the search. */
      readonly proven: boolean;
      readonly cost: number;
      /** A lower bound: no solution costs less. */
      readonly bound: number;
      /** The value of each column. */
      readonly values: readonly number[];
      /** The shadow price of each row: what one more unit of its bound would cost. Undefined if columns had to be whole. */
      readonly prices?: readonly number[] | undefined;
    }
  /** No values satisfy all rows. `rows`: some rows that contradict each other; empty if they are not known. */
  | { readonly kind: "infeasible"; readonly rows: readonly number[] }
  /** The cost can be reduced without limit. */
  | { readonly kind: "unbounded" }
  /** A limit ended the search before a solution was found. */
  | { readonly kind: "unanswered"; readonly reason: string };

/** Solves a program synchronously, on this thread. */
export type SolveProgram = (program: LinearProgram, limits?: SolveLimits) => ProgramResult;
