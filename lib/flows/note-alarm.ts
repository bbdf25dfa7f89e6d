import type { AlarmStateChange } from "../../events/alarm.ts";
import { alarmOf, poolsOf } from "../model/alarm.ts";
import type { Pool } from "../model/pool.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type AlarmDeps = Ringing & { readonly fleet: { readonly name: string; readonly pools: readonly Pool[] } };

export type NotedAlarm =
  | { readonly kind: "rung"; readonly pools: readonly string[] }
  /** The alarm belongs to another deployment or to none, or to a team or pool that no longer exists. */
  | { readonly kind: "not-ours" }
  /** The change neither begins nor ends an alarm: a new alarm goes to `OK` without having been in alarm. */
  | { readonly kind: "no-news" };

/**
 * Rings every pool that an alarm is about, when the alarm begins and when it ends. The alarm is only a signal: decisions use the table, so
 * an alarm that arrives late, twice or out of order does no harm.
 */
export async function noteAlarm(deps: AlarmDeps, { detail }: AlarmStateChange): Promise<NotedAlarm> {
  const alarm = alarmOf(detail.alarmName, deps.fleet.name);
  const pools = alarm ? poolsOf(alarm, deps.fleet.pools) : [];
  if (pools.length === 0) return { kind: "not-ours" };
  const { state, previousState } = detail;
  if (state.value !== "ALARM" && !(state.value === "OK" && previousState?.value === "ALARM")) return { kind: "no-news" };
  for (const pool of pools) await ring(deps, pool, `alarm ${detail.alarmName}`);
  return { kind: "rung", pools };
}
