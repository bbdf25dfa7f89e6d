import type { Reservation } from "./launch.ts";

/** The most that may be reserved at any moment, in dollars per hour and in GPUs. A field that is undefined is not limited. */
export type Limits = { readonly usdPerHour?: number | undefined; readonly gpus?: number | undefined };

/** Which limit prevents a launch: the pool's, the team's over all pools, or that of the whole deployment. */
export type LimitScope = "pool" | "team" | "deployment";

/** The limits that a launch must not exceed. */
export type LaunchLimits = {
  readonly pool: Reservation;
  readonly team?: Limits | undefined;
  readonly deployment?: Limits | undefined;
};

/** The limits that go beyond one pool. */
export type WiderLimits = {
  readonly deployment?: Limits | undefined;
  readonly teams: Readonly<Record<string, Limits>>;
  /** Set if what admins have set instead of these cannot be read. Nothing is launched then, because it may be less. */
  readonly isUnknown?: true | undefined;
};

/** What is reserved in all pools together, by the deployment and by team. Nodes of shared pools do not count towards any team. */
export type WiderReserved = { readonly deployment: Reservation; readonly teams: Readonly<Record<string, Reservation>> };

/** The wider limits as the configuration file has them. */
export type ConfiguredLimits = {
  readonly limits?: Limits | undefined;
  readonly teamLimits?: Readonly<Record<string, Limits>> | undefined;
};

export const widerLimits = ({ limits, teamLimits = {} }: ConfiguredLimits): WiderLimits => ({ deployment: limits, teams: teamLimits });
