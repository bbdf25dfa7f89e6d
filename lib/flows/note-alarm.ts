import type { AlarmStateChange } from "../../events/alarm.ts";
import { alarmOf, poolsOf } from "../model/alarm.ts";
import type { Pool } from "../model/pool.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type AlarmDeps = Ringing & { readonly fleet: { readonly name: string; readonly pools: readonly Pool[] } };

export type NotedAlarm =
  | { readonly kind: "rung"; readonly pools: readonly string[] }
  /** Another deployment's or nobody's, or of a team or pool that there is no more. */
  | { readonly kind: "not-ours" }
  /** Neither begins nor ends anything: an alarm is `OK` before it was ever looked at. */
  | { readonly kind: "no-news" };

/**
 * Has every pool that an alarm is about decided on again, when it begins and when it is over. The alarm is a second signal: what is
 * decided comes from the table, so that one that comes late, twice or out of order does no harm.
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
