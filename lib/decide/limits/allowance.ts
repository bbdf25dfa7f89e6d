import type { Reservation } from "../../model/launch.ts";
import type { LimitScope, Limits } from "../../model/limits.ts";
import type { Snapshot } from "../../model/plan.ts";
import { less } from "../../model/reservations.ts";
import { own } from "../../model/values/own.ts";

/** What the limits leave while jobs are placed one after another; infinite for a scope without a limit. */
export type Allowance = {
  readonly pool: Reservation;
  readonly deployment: Reservation;
  readonly teams: Readonly<Record<string, Reservation>>;
};

const boundless: Reservation = { usdPerHour: Number.POSITIVE_INFINITY, gpus: Number.POSITIVE_INFINITY };
const none: Reservation = { usdPerHour: 0, gpus: 0 };

export function allowanceOf({ pool, reserved, wider }: Snapshot): Allowance {
  const teams = Object.entries(wider?.limits.teams ?? {});
  return {
    pool: less(pool.limits, reserved),
    deployment: wider?.limits.isUnknown ? none : left(wider?.limits.deployment, wider?.reserved.deployment),
    teams: Object.fromEntries(teams.map(([team, limits]) => [team, left(limits, own(wider?.reserved.teams, team))])),
  };
}

/** Returns what the limits would leave if nothing were reserved. Limits that cannot be read count as the configured ones. */
export const unreserved = (seen: Snapshot): Allowance =>
  allowanceOf({
    ...seen,
    reserved: none,
    ...(seen.wider ? { wider: { limits: { ...seen.wider.limits, isUnknown: undefined }, reserved: { deployment: none, teams: {} } } } : {}),
  });

const left = (limits: Limits | undefined, reserved: Reservation = none): Reservation => less({ ...boundless, ...given(limits) }, reserved);

/** Returns the parts that are limited. */
const given = ({ usdPerHour, gpus }: Limits = {}): Partial<Reservation> => ({
  ...(usdPerHour === undefined ? {} : { usdPerHour }),
  ...(gpus === undefined ? {} : { gpus }),
});

/** Returns what a launch may reserve: for this team, or for all teams if `team` is undefined. */
export const allowed = (allowance: Allowance, team: string | undefined): Reservation => {
  const all = scopes.map((scope) => leftOf(allowance, scope, team));
  return { usdPerHour: Math.min(...all.map(({ usdPerHour }) => usdPerHour)), gpus: Math.min(...all.map(({ gpus }) => gpus)) };
};

/** Returns the allowance less what was reserved. */
export const without = (allowance: Allowance, team: string | undefined, reserved: Reservation): Allowance => {
  const its = own(allowance.teams, team);
  return {
    pool: less(allowance.pool, reserved),
    deployment: less(allowance.deployment, reserved),
    teams: team === undefined || its === undefined ? allowance.teams : { ...allowance.teams, [team]: less(its, reserved) },
  };
};

/** From the nearest to the widest: a job that waits is shown the nearest limit. */
export const scopes: readonly LimitScope[] = ["pool", "team", "deployment"];

export const leftOf = (allowance: Allowance, scope: LimitScope, team: string | undefined): Reservation => {
  if (scope !== "team") return allowance[scope];
  return own(allowance.teams, team) ?? boundless;
};

/** Returns the nearest limit that leaves too little for `fits`; the pool's if each alone leaves enough, but not all together. */
export const nearestLimit = (allowance: Allowance, team: string | undefined, fits: (room: Reservation) => boolean): LimitScope =>
  scopes.find((scope) => !fits(leftOf(allowance, scope, team))) ?? "pool";
