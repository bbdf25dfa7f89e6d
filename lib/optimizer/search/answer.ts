import type { Learned } from "../../model/learned.ts";
import type { Conditions } from "../../model/wants.ts";
import type { Supply } from "../problem/problem.ts";
import type { Earned } from "./portfolio.ts";

/** Jobs that a node which is there takes. */
export type Binding = { readonly node: string; readonly jobs: readonly string[] };

/** Nodes to be bought: one with these jobs, or as many as a gang has members. */
export type Purchase = { readonly offer: Supply; readonly jobs: readonly string[]; readonly nodes: number };

/** Why a job has no place, each with what it wants and what there is. */
export type Reason =
  | { readonly kind: "model" | "no offers" }
  /** A condition of the job that the offer does not meet. */
  | { readonly kind: Exclude<keyof Conditions, "gpu"> }
  | { readonly kind: "gpu memory" | "gpus"; readonly wanted: number; readonly there: number }
  | { readonly kind: "size" | "limit"; readonly of: string; readonly wanted: number; readonly there: number }
  | { readonly kind: "capacity"; readonly wanted: number; readonly there: number };

/** Jobs alike that have no place. */
export type Waiting = {
  readonly jobs: readonly string[];
  /** All of these, and none less, keep one of them from the offer of `change`. */
  readonly reasons: readonly Reason[];
  /** The offer that it could have with the fewest changes, and of those the cheapest; absent: there is none at all. */
  readonly change?: { readonly offer: string; readonly usdPerHour: number } | undefined;
};

/** Dollars an hour: `fleetUsd` is what is bought (f), all else is what it risks and delays (g). */
export type Cost = {
  readonly fleetUsd: number;
  readonly interruptionsUsd: number;
  readonly dataUsd: number;
  readonly waitingUsd: number;
};

export type Answer = {
  readonly bindings: readonly Binding[];
  readonly purchases: readonly Purchase[];
  readonly waiting: readonly Waiting[];
  readonly cost: Cost;
  /** Nothing that places the same jobs costs less than this, without what waiting costs; dollars an hour. */
  readonly boundUsd: number;
  /** How far the cost may be above what is possible, as a share of the bound; 0 where both are nothing, absent where the bound is. */
  readonly gap?: number | undefined;
  /** Who found it. */
  readonly engine: string;
  /** A budget of so many steps gives the same answer to the same problem and seed, and one of `boundSteps` the same bound. */
  readonly steps: number;
  readonly boundSteps: number;
  readonly earned: Readonly<Record<string, Earned>>;
  readonly learned: Learned;
};
