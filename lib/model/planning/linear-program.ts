/** A linear program: the least of the columns' costs such that each row lies within its bounds. Some columns may have to be whole. */
export type LinearProgram = {
  readonly columns: readonly ProgramColumn[];
  readonly rows: readonly ProgramRow[];
};

/** One thing to decide how much of. */
export type ProgramColumn = {
  /** Of one of it. */
  readonly cost: number;
  /** @default 0 */
  readonly lower?: number | undefined;
  /** @default no bound */
  readonly upper?: number | undefined;
  /** Whether only whole numbers of it can be had. */
  readonly whole?: boolean | undefined;
};

/** One thing that must hold: `lower ≤ Σ factor · column ≤ upper`. */
export type ProgramRow = {
  /** @default no bound */
  readonly lower?: number | undefined;
  /** @default no bound */
  readonly upper?: number | undefined;
  /** Each column by its index, at most once. */
  readonly terms: readonly (readonly [column: number, factor: number])[];
};

/** When to be content with less than the proven best. The same program and limits give the same answer, unless `ms` ended it. */
export type SolveLimits = {
  readonly ms?: number | undefined;
  /** Branches of the search for whole numbers. */
  readonly nodes?: number | undefined;
  /** How far above its bound a cost may be, as a fraction. @default 1e-9 */
  readonly gap?: number | undefined;
  /** Takes columns as they come, whole or not: the relaxation. */
  readonly relaxed?: boolean | undefined;
};

export type ProgramAnswer =
  | {
      readonly kind: "solved";
      /** Whether the cost is proven to be the least, within the gap; else a limit ended the search. */
      readonly proven: boolean;
      readonly cost: number;
      /** No answer costs less than this. */
      readonly bound: number;
      /** How much of each column. */
      readonly values: readonly number[];
      /** What one unit more on each row's bound would cost. Absent where columns had to be whole: it has no such prices. */
      readonly prices?: readonly number[] | undefined;
    }
  /** No values satisfy all rows. `rows`: some that cannot hold together, where that is known. */
  | { readonly kind: "infeasible"; readonly rows: readonly number[] }
  /** Costs fall without end. */
  | { readonly kind: "unbounded" }
  /** A limit ended the search before there was any answer. */
  | { readonly kind: "unanswered"; readonly because: string };

/** Solves a program, on this thread and at once. */
export type SolveProgram = (program: LinearProgram, limits?: SolveLimits) => ProgramAnswer;
