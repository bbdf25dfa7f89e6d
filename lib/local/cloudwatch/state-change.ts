import type { ServiceEvent } from "../emulators/ministack.ts";
import { type Alarm, type AlarmState, comparisons } from "../metrics/alarm.ts";
import type { AlarmVerdict } from "../metrics/evaluate.ts";

/** A state of an alarm, and why the alarm is in it. */
export type StateNote = {
  readonly value: AlarmState;
  readonly reason: string;
  /** JSON. Undefined for the first state and for a state that was set by a call. */
  readonly reasonData?: string | undefined;
  readonly atMs: number;
};

export const firstNote = (atMs: number): StateNote => ({
  value: "INSUFFICIENT_DATA",
  reason: "Unchecked: Initial alarm creation",
  atMs,
});

/** Returns a state with the explanation, in words and numbers, that CloudWatch gives after an evaluation. */
export function noteOf(alarm: Alarm, verdict: AlarmVerdict, at: { previous: AlarmState; nowMs: number }): StateNote {
  const { judged, state } = verdict;
  const reasonData = JSON.stringify({
    version: "1.0",
    queryDate: stamp(at.nowMs),
    ...(judged.length > 0 && { startDate: stamp(Math.min(...judged.map((each) => each.atMs))) }),
    ...(alarm.unit !== undefined && { unit: alarm.unit }),
    statistic: alarm.statistic,
    period: alarm.periodSeconds,
    recentDatapoints: judged.map((each) => each.value).toReversed(),
    threshold: alarm.threshold,
    evaluatedDatapoints: judged.map((each) => ({ timestamp: stamp(each.atMs), value: each.value })),
  });
  return { value: state, reason: reasonOf(alarm, verdict, at.previous), reasonData, atMs: at.nowMs };
}

function reasonOf(alarm: Alarm, { state, judged, filled }: AlarmVerdict, previous: AlarmState): string {
  if (state === "INSUFFICIENT_DATA") return `Insufficient Data: ${many(alarm.evaluationPeriods, "datapoint")} unknown.`;
  const treated = alarm.missing === "breaching" ? "Breaching" : "NonBreaching";
  if (judged.length === 0)
    return `Threshold Crossed: no datapoints were received for ${count(filled, "period")} and ${many(filled, "missing datapoint")} treated as [${treated}].`;
  const alarmed = state === "ALARM";
  const { holds, words } = comparisons[alarm.comparison];
  const that = judged.filter((each) => holds(each.value, alarm.threshold) === alarmed);
  const values = that.map((each) => `${decimal(each.value)} (${shortDate(each.atMs)})`).join(", ");
  const needed = alarmed ? alarm.datapointsToAlarm : alarm.evaluationPeriods - alarm.datapointsToAlarm + 1;
  const verb = `${that.length === 1 ? "was" : "were"}${alarmed ? "" : " not"}`;
  return (
    `Threshold Crossed: ${that.length} out of the last ${alarm.evaluationPeriods} datapoints [${values}] ${verb} ${words} ` +
    `the threshold (${decimal(alarm.threshold)}) (minimum ${count(needed, "datapoint")} for ${previous} -> ${state} transition).`
  );
}

/** Returns the CloudWatch Alarm State Change event that EventBridge receives about a single-metric alarm. */
export function stateChange(alarm: Alarm, from: StateNote, to: StateNote): ServiceEvent {
  const { namespace, name, dimensions } = alarm.metric;
  const metricStat = {
    metric: { dimensions, name, namespace },
    period: alarm.periodSeconds,
    stat: alarm.statistic,
    ...(alarm.unit !== undefined && { unit: alarm.unit }),
  };
  return {
    source: "aws.cloudwatch",
    detailType: "CloudWatch Alarm State Change",
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      configuration: {
        ...(alarm.description !== undefined && { description: alarm.description }),
        metrics: [{ id: "m1", metricStat, returnData: true }],
      },
      previousState: stateDetail(from),
      state: stateDetail(to),
    },
  };
}

const stateDetail = ({ value, reason, reasonData, atMs }: StateNote): object => ({
  value,
  reason,
  ...(reasonData !== undefined && { reasonData }),
  timestamp: stamp(atMs),
});

/** "2026-10-02T17:04:40.989+0000" */
const stamp = (ms: number): string => new Date(ms).toISOString().replace("Z", "+0000");
/** "02/10/26 16:59:00" */
const shortDate = (ms: number): string => new Date(ms).toISOString().replace(/^\d\d(\d\d)-(\d\d)-(\d\d)T([\d:]+).*$/, "$3/$2/$1 $4");
const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
const many = (n: number, what: string): string => `${count(n, what)} ${n === 1 ? "was" : "were"}`;
