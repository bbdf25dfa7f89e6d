/** What a fleet is sized by: computing, storing, and moving data. Units are the reader's own, such as vCPUs, GiB and Gbit/s. */
export const resourceNames = ["compute", "storage", "bandwidth"] as const;
export type ResourceName = (typeof resourceNames)[number];
export type PerResource = Readonly<Record<ResourceName, number>>;

export const perResource = (of: (name: ResourceName) => number): PerResource => ({
  compute: of("compute"),
  storage: of("storage"),
  bandwidth: of("bandwidth"),
});

/** What one node costs, in dollars of one and the same time, by what is paid for. */
export type NodeCost = { readonly hardware: number; readonly software: number; readonly network: number };

/** A kind of node that can be had, what one offers and costs. */
export type NodeType = {
  readonly name: string;
  readonly offers: PerResource;
  readonly cost: NodeCost;
  /** What its failures and interruptions are expected to lose, in dollars of the same time. */
  readonly loss: number;
  /** How many can be had; absent for any number. */
  readonly most?: number | undefined;
};

/** What turns performance into dollars of the same time. */
export type PerformancePrices = {
  /** Of each node there is: the more nodes, the more they wait for each other. */
  readonly perNode: number;
  /** The part of all capacity, from 0 to below 1, that is to stay free for peaks. */
  readonly headroom: number;
  /** Of each unit of demand that falls into the headroom, where it waits. */
  readonly waiting: PerResource;
  /** Of each unit of demand that goes unmet; where it is infinite, all must be met. */
  readonly shortfall: PerResource;
};

export const noPerformancePrices: PerformancePrices = {
  perNode: 0,
  headroom: 0,
  waiting: perResource(() => 0),
  shortfall: perResource(() => Number.POSITIVE_INFINITY),
};

/** A fleet that meets the demand at the least cost and loss of performance. Amounts are dollars. */
export type CapacityPlan = {
  /** In the order of the types that were given; those of which none is bought, too. */
  readonly types: readonly PlannedType[];
  readonly resources: Readonly<Record<ResourceName, PlannedResource>>;
  /** f: what the nodes cost. */
  readonly cost: NodeCost & { readonly total: number };
  /** g: what is lost in performance. */
  readonly performance: {
    readonly loss: number;
    readonly perNode: number;
    readonly waiting: number;
    readonly shortfall: number;
    readonly total: number;
  };
  /** f + g */
  readonly total: number;
  /** No fleet does it for less: the linear program, in which parts of nodes can be had. */
  readonly relaxed: number;
  /** No fleet of whole nodes does it for less. */
  readonly bound: number;
  /** How far `total` is above `bound`, as a fraction of it. */
  readonly gap: number;
  /** Whether `total` is proven to be the least; else a limit ended the search. */
  readonly proven: boolean;
};

export type PlannedType = {
  readonly type: NodeType;
  readonly count: number;
  /** Dollars by which one is dearer than what it offers is worth, where this fleet's last unit is priced; below 0: more of them would pay. */
  readonly overWorth: number;
};

export type PlannedResource = {
  readonly demand: number;
  readonly bought: number;
  readonly unmet: number;
  /** What of the demand falls into the headroom. */
  readonly waiting: number;
  /** Dollars that one unit more of demand would cost, where parts of nodes can be had. */
  readonly shadowPrice: number;
};
