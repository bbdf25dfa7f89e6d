import type { AlarmStateChange } from "../../../events/alarm.ts";
import { type AlarmKind, alarmName } from "../../model/alarm.ts";
import type { Chance } from "./chance.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** The name of the simulated deployment. */
export const fleetName = "fleet";

/** What CloudWatch's alarms may be about. `alarms`: how many of their changes a run has. */
export type AlarmsScenario = {
  readonly minutes: number;
  readonly alarms: { readonly from: number; readonly to: number };
  readonly pools: readonly { readonly name: string }[];
  readonly teams: readonly string[];
};

type Value = AlarmStateChange["detail"]["state"]["value"];

const ofPools: readonly AlarmKind[] = ["queue-depth", "queue-age", "gpu-low"];
const values: readonly Value[] = ["OK", "ALARM", "INSUFFICIENT_DATA"];
/** How often a change is about another deployment of the account, or about a pool that does not exist. */
const foreignRate = 0.2;
/** How often EventBridge delivers a change twice, and how much later, ms. */
const twiceRate = 0.2;
const latestMs = 90_000;

/**
 * Changes alarms at any time, whatever the fleet does, because CloudWatch's periods are long and its events may be late, twice, or out of
 * order. An alarm is only a signal, so none of that may do harm.
 */
export function scheduleAlarms(
  scenario: AlarmsScenario,
  clock: VirtualClock,
  chance: Chance,
  deliver: (change: AlarmStateChange) => void,
): void {
  const { alarms, minutes } = scenario;
  const count = chance.between(alarms.from, alarms.to);
  for (let n = 0; n < count; n += 1) {
    const atMs = chance.between(1_000, minutes * 60_000);
    const change = drawn(scenario, { chance, atMs: clock.nowMs + atMs });
    clock.after(atMs, () => deliver(change));
    if (chance.happens(twiceRate)) clock.after(atMs + chance.between(0, latestMs), () => deliver(change));
  }
}

function drawn({ pools, teams }: AlarmsScenario, { chance, atMs }: { chance: Chance; atMs: number }): AlarmStateChange {
  const isForeign = chance.happens(foreignRate);
  const fleet = isForeign && chance.happens(0.5) ? "other" : fleetName;
  const name = isForeign ? "no-such-pool" : chance.pick(pools).name;
  const about = chance.happens(0.5) ? { kind: chance.pick(ofPools), of: name } : { kind: "jobs-age" as const, of: chance.pick(teams) };
  return {
    source: "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    time: new Date(atMs).toISOString(),
    detail: {
      alarmName: alarmName({ fleet, ...about }),
      state: { value: chance.pick(values) },
      previousState: { value: chance.pick(values) },
    },
  };
}
