import { FleetError } from "../../model/fleet-error.ts";
import type { ServiceEvent } from "../emulators/ministack.ts";
import type { Alarm, AlarmState } from "../metrics/alarm.ts";
import { type Datapoint, evaluate, periodsLookedAt } from "../metrics/evaluate.ts";
import { pick } from "../metrics/metric.ts";
import type { MetricStore } from "../metrics/metric-store.ts";
import type { LocalLog } from "../run/log-line.ts";
import { firstNote, noteOf, type StateNote, stateChange } from "./state-change.ts";

export type AlarmView = { readonly name: string; readonly state: AlarmState; readonly sinceMs: number; readonly reason: string };

/** The alarms of the stack. Each is evaluated once per period, or once per minute if its period is longer than that. */
export type EmulatedAlarms = {
  list(): readonly AlarmView[];
  /** Does what CloudWatch's SetAlarmState does: the next evaluation may change the state again. Throws the FleetError `no-alarm`. */
  set(name: string, state: AlarmState, reason: string): void;
  /** Evaluates all alarms now, as the timers do. */
  evaluate(nowMs: number): void;
  /** Stops the timers and resolves when every event so far is on the bus or was dropped after an error. */
  close(): Promise<void>;
};

export type AlarmsOptions = {
  readonly alarms: readonly Alarm[];
  readonly metrics: MetricStore;
  /** How many seconds of AWS's time pass per real second. */
  readonly periodScale: number;
  putEvent(event: ServiceEvent): Promise<void>;
  now(): number;
  readonly log: LocalLog;
};

/** A period's last values may arrive a moment after its end. */
const settleMs = 100;
const minute = 60;

export function startAlarms(options: AlarmsOptions): EmulatedAlarms {
  const { alarms, periodScale, log } = options;
  const notes = new Map(alarms.map((alarm) => [alarm.name, firstNote(options.now())]));
  let notified = Promise.resolve();

  const enter = (alarm: Alarm, from: StateNote, to: StateNote): void => {
    notes.set(alarm.name, to);
    log({ message: "alarm changed state", alarm: alarm.name, state: to.value, reason: to.reason });
    notified = notified
      .then(() => options.putEvent(stateChange(alarm, from, to)))
      .catch((error: unknown) => log({ message: "alarm event not put on the bus", alarm: alarm.name, error }));
  };
  const look = (alarm: Alarm, nowMs: number): void => {
    const before = notes.get(alarm.name);
    if (!before) return;
    const verdict = evaluate(alarm, datapointsOf(alarm, options, nowMs), before.value);
    if (verdict.state !== before.value) enter(alarm, before, noteOf(alarm, verdict, { previous: before.value, nowMs }));
  };

  const timers = alarms.map((alarm) => {
    const everyMs = (Math.min(alarm.periodSeconds, minute) * 1000) / periodScale;
    const timer = setInterval(() => look(alarm, options.now() - settleMs), everyMs);
    timer.unref();
    return timer;
  });
  return {
    list: () =>
      [...notes]
        .map(([name, note]) => ({ name, state: note.value, sinceMs: note.atMs, reason: note.reason }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    set(name, value, reason) {
      const alarm = alarms.find((each) => each.name === name);
      const before = notes.get(name);
      if (!alarm || !before)
        throw new FleetError("no-alarm", `There is no alarm ${name}; the alarms are: ${[...notes.keys()].sort().join(", ") || "none"}`);
      if (before.value !== value) enter(alarm, before, { value, reason, atMs: options.now() });
    },
    evaluate: (nowMs) => {
      for (const alarm of alarms) look(alarm, nowMs);
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await notified;
    },
  };
}

/** Returns the last periods' values, oldest first. The newest period ends now. */
function datapointsOf(alarm: Alarm, { metrics, periodScale }: AlarmsOptions, nowMs: number): readonly Datapoint[] {
  const periodMs = (alarm.periodSeconds * 1000) / periodScale;
  return Array.from({ length: periodsLookedAt(alarm) }, (_, i) => {
    const toMs = nowMs - (periodsLookedAt(alarm) - 1 - i) * periodMs;
    const found = metrics.statistics(alarm.metric, { fromMs: toMs - periodMs, toMs, unit: alarm.unit });
    const value = found && pick(found, alarm.statistic);
    return value === undefined ? undefined : { atMs: toMs - periodMs, value };
  });
}
