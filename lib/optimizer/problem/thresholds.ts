/** Sizes above which a problem is solved in a coarser way. Callers may pass others, so that tests cross them with small problems. */
export type Thresholds = {
  /** If there are more shapes than this, shapes of nearly the same size are joined: rounded up for packings, down for bounds. */
  readonly maxShapes: number;
  /** If there are more existing nodes than this, they are filled before the search, each job where it leaves least. */
  readonly maxNodesInSearch: number;
};

export const standardThresholds: Thresholds = { maxShapes: 400, maxNodesInSearch: 40 };
