import * as z from "zod";
import type { Reservation } from "../../../model/launch.ts";
import type { WiderReserved } from "../../../model/limits.ts";
import type { UnreadableItem } from "../../../model/plan.ts";
import { micro } from "../../../model/reservations.ts";
import { getPartition, type Item, type TableAccess } from "../access.ts";
import { add } from "../expression.ts";
import { deploymentReservedKey, reservedPartition, teamOfReservedKey, teamReservedKey } from "../keys.ts";
import { separated, stored } from "../stored.ts";
import type { Part } from "../transaction.ts";

/** A part of a reservation, in whole micro-dollars per hour, so that additions and subtractions cancel exactly. */
export type Amount = { readonly microUsd: number; readonly gpus: number };

/** There are many tries, because all pools share one item, on which concurrent transactions cancel each other: fifty pools need seconds. */
export const reservingTries = 24;

export const nothing: Amount = { microUsd: 0, gpus: 0 };
export const amountOf = ({ usdPerHour, gpus }: Reservation): Amount => ({ microUsd: micro(usdPerHour), gpus });
export const plus = (a: Amount, b: Amount): Amount => ({ microUsd: a.microUsd + b.microUsd, gpus: a.gpus + b.gpus });
export const minus = (a: Amount, b: Amount): Amount => ({ microUsd: a.microUsd - b.microUsd, gpus: a.gpus - b.gpus });

const StoredReserved = z.object({ reservedMicroUsd: z.int().default(0), reservedGpus: z.number().default(0) });

export const reservedOf = (item: Item): Reservation => {
  const { reservedMicroUsd, reservedGpus } = stored(StoredReserved, item);
  return { usdPerHour: reservedMicroUsd / 1e6, gpus: reservedGpus };
};

/** Returns the changes that add to a counter of reservations. Negative amounts release. */
export const reserving = ({ microUsd, gpus }: Amount) => [add("reservedMicroUsd", microUsd), add("reservedGpus", gpus)];

/** Returns the counters other than the pool's that a change affects: the deployment's, then the team's if there is a team. */
export const widerKeys = (team: string | undefined) => [deploymentReservedKey, ...(team === undefined ? [] : [teamReservedKey(team)])];

/** Returns no parts if nothing changes, so that these items, which all pools share, are not written without need. */
export const widerParts = ({ team, amount }: { team: string | undefined; amount: Amount }): Part[] =>
  amount.microUsd === 0 && amount.gpus === 0
    ? []
    : widerKeys(team).map((key) => ({ kind: "update", key, changes: reserving(amount), when: [] }));

/** What counts as reserved if the counter cannot be read: more than any limit, so that nothing more is launched under that limit. */
const full: Reservation = { usdPerHour: 1e9, gpus: 1e9 };

/**
 * Returns the reservations of the deployment and of all teams, strongly consistent. A counter that cannot be read counts as full, so that
 * only launches which it limits wait.
 */
export async function readWider(
  access: TableAccess,
): Promise<{ readonly wider: WiderReserved; readonly unreadable: readonly UnreadableItem[] }> {
  const counters = separated("counter", await getPartition(access, reservedPartition), (item) => ({
    sk: String(item["sk"]),
    reserved: reservedOf(item),
  }));
  const unread = counters.unreadable.map(({ key }) => ({ sk: key.slice(reservedPartition.length + 1), reserved: full }));
  const all = [...counters.read, ...unread];
  const teams = all.flatMap(({ sk, reserved }) => {
    const team = teamOfReservedKey(sk);
    return team === undefined ? [] : [[team, reserved] as const];
  });
  const deployment = all.find(({ sk }) => sk === deploymentReservedKey.sk)?.reserved ?? { usdPerHour: 0, gpus: 0 };
  return { wider: { deployment, teams: Object.fromEntries(teams) }, unreadable: counters.unreadable };
}
