import type { Launch } from "../../../model/launch.ts";
import type { LaunchLimits, LimitScope, Limits } from "../../../model/limits.ts";
import { micro } from "../../../model/reservations.ts";
import { type Condition, either, is, isAbsent, isAtMost } from "../expression.ts";
import { type Amount, reserving } from "../items/reserved-item.ts";
import { deploymentReservedKey, type Key, poolKey, teamReservedKey } from "../keys.ts";
import type { Part } from "../transaction.ts";

/** An item that counts what launches reserve, and its limit. */
export type Counter = { readonly scope: LimitScope; readonly key: Key; readonly most: Amount };

/** Returns the counters of a launch. The pool's is the first; its item also holds the pool's epoch. */
export function countersOf(launch: Launch, limits: LaunchLimits): Counter[] {
  const { pool, team } = launch;
  return [
    { scope: "pool", key: poolKey(pool), most: ceilingsOf(limits.pool) },
    { scope: "deployment", key: deploymentReservedKey, most: ceilingsOf(limits.deployment) },
    ...(team === undefined ? [] : [{ scope: "team", key: teamReservedKey(team), most: ceilingsOf(limits.team) } as const]),
  ];
}

/** Returns whether an amount exceeds even an unused counter, which a condition could not detect if the item does not exist yet. */
export const exceeds = (mine: Amount, { most }: Counter): boolean => mine.microUsd > most.microUsd || mine.gpus > most.gpus;

/** Counts a launch, on the condition that the counter stays within its limits. */
export const counting = ({ scope, key, most }: Counter, mine: Amount, epoch: number): Part => ({
  kind: "update",
  key,
  changes: reserving(mine),
  when: [
    ...(scope === "pool" ? [is("epoch", epoch)] : []),
    ...within("reservedMicroUsd", most.microUsd - mine.microUsd),
    ...within("reservedGpus", most.gpus - mine.gpus),
  ],
});

const within = (attribute: string, most: number): Condition[] =>
  Number.isFinite(most) ? [either(isAbsent(attribute), isAtMost(attribute, most))] : [];

const ceilingsOf = ({ usdPerHour = Number.POSITIVE_INFINITY, gpus = Number.POSITIVE_INFINITY }: Limits = {}): Amount => ({
  microUsd: micro(usdPerHour),
  gpus,
});
