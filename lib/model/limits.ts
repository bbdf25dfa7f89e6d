import type { Reservation } from "./launch.ts";

/** Most that may be reserved at one moment, in dollars per hour and in GPUs. What is absent has no such bound. */
export type Limits = { readonly usdPerHour?: number | undefined; readonly gpus?: number | undefined };

/** Whose limit stands in the way: the pool's, the team's over all pools, or that of the whole deployment. */
export type LimitScope = "pool" | "team" | "deployment";

/** What a launch has to fit in. */
export type LaunchLimits = {
  readonly pool: Reservation;
  readonly team?: Limits | undefined;
  readonly deployment?: Limits | undefined;
};

/** The limits that go beyond one pool, as the admin configured them. */
export type WiderLimits = { readonly deployment?: Limits | undefined; readonly teams: Readonly<Record<string, Limits>> };

/** What is reserved in all pools together: by the deployment, and by each team's own nodes. A shared pool's nodes are no team's. */
export type WiderReserved = { readonly deployment: Reservation; readonly teams: Readonly<Record<string, Reservation>> };

/** As the configuration has them. */
export type ConfiguredLimits = {
  readonly limits?: Limits | undefined;
  readonly teamLimits?: Readonly<Record<string, Limits>> | undefined;
};

export const widerLimits = ({ limits, teamLimits = {} }: ConfiguredLimits): WiderLimits => ({ deployment: limits, teams: teamLimits });
