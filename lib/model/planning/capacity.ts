/** The resources by which a fleet is sized. The user chooses their units, such as vCPUs, GiB and Gbit/s. */
export const resourceNames = ["compute", "storage", "bandwidth"] as const;
export type ResourceName = (typeof resourceNames)[number];
export type PerResource = Readonly<Record<ResourceName, number>>;

export const perResource = (of: (name: ResourceName) => number): PerResource => ({
  compute: of("compute"),
  storage: of("storage"),
  bandwidth: of("bandwidth"),
});

/** What one node costs, in dollars per hour, or per any other period that is the same in the whole plan. */
export type NodeCost = { readonly hardware: number; readonly software: number; readonly network: number };

/** A kind of node that can be bought, with what one node offers and costs. */
export type NodeType = {
  readonly name: string;
  readonly offers: PerResource;
  readonly cost: NodeCost;
  /** The expected cost of its failures and interruptions, in dollars per the same period. */
  readonly loss: number;
  /** How many can be bought; undefined for any number. */
  readonly most?: number | undefined;
};

/** Prices of lost performance, in dollars per the same period. */
export type PerformancePrices = {
  /** Per node, because more nodes wait longer for each other. */
  readonly perNode: number;
  /** The part of all capacity, from 0 to below 1, that should stay free for peaks. */
  readonly headroom: number;
  /** Per unit of demand that falls into the headroom, where it waits. */
  readonly waiting: PerResource;
  /** Per unit of demand that is not met; infinite if all demand must be met. */
  readonly shortfall: PerResource;
};

export const noPerformancePrices: PerformancePrices = {
  perNode: 0,
  headroom: 0,
  waiting: perResource(() => 0),
  shortfall: perResource(() => Number.POSITIVE_INFINITY),
};

/** A fleet that meets the demand at the least cost and loss of performance. Amounts are dollars per the same period. */
export type CapacityPlan = {
  /** All types in the order in which they were given, including those of which none is bought. */
  readonly types: readonly PlannedType[];
  readonly resources: Readonly<Record<ResourceName, PlannedResource>>;
  /** f: the cost of the nodes. */
  readonly cost: NodeCost & { readonly total: number };
  /** g: the loss of performance. */
  readonly performance: {
    readonly loss: number;
    readonly perNode: number;
    readonly waiting: number;
    readonly shortfall: number;
    readonly total: number;
  };
  /** f + g */
  readonly total: number;
  /** The least total if fractions of nodes could be bought: the optimum of the linear program. */
  readonly relaxed: number;
  /** A lower bound: no fleet of whole nodes has a lower total. */
  readonly bound: number;
  /** How far `total` is above `bound`, as a fraction of `bound`. */
  readonly gap: number;
  /** Whether `total` is proven to be the least. If not, a limit ended the search. */
  readonly proven: boolean;
};

export type PlannedType = {
  readonly type: NodeType;
  readonly count: number;
  /** By how many dollars one node costs more than what it offers is worth at this fleet's shadow prices. Below 0, more nodes would pay. */
  readonly overWorth: number;
};

export type PlannedResource = {
  readonly demand: number;
  readonly bought: number;
  readonly unmet: number;
  /** How much of the demand falls into the headroom. */
  readonly waiting: number;
  /** How many dollars one more unit of demand would cost if fractions of nodes could be bought. */
  readonly shadowPrice: number;
};
