import { expect, test } from "vitest";
import { firstNote, noteOf, type StateNote, stateChange } from "../../../lib/local/cloudwatch/state-change.ts";
import type { Alarm, AlarmState } from "../../../lib/local/metrics/alarm.ts";
import type { AlarmVerdict } from "../../../lib/local/metrics/evaluate.ts";

const anAlarm = (over: Partial<Alarm> = {}): Alarm => ({
  name: "deep",
  arn: "arn:deep",
  metric: { namespace: "AWS/SQS", name: "Age", dimensions: { QueueName: "jobs" } },
  statistic: "Maximum",
  periodSeconds: 60,
  evaluationPeriods: 3,
  datapointsToAlarm: 2,
  threshold: 0.5,
  comparison: "GreaterThanThreshold",
  missing: "notBreaching",
  ...over,
});
const atMs = Date.UTC(2026, 9, 2, 17, 4, 0);
const noted = (
  alarm: Alarm,
  state: AlarmState,
  { values = [], previous = "OK" }: { values?: readonly number[]; previous?: AlarmState } = {},
) => {
  const judged = values.map((value, i) => ({ atMs: atMs - i * 60_000, value }));
  const verdict: AlarmVerdict = { state, judged, filled: alarm.evaluationPeriods - judged.length };
  return noteOf(alarm, verdict, { previous, nowMs: atMs + 60_000 });
};
const reason = (...given: Parameters<typeof noted>): string => noted(...given).reason;

test("an alarm without data says how many datapoints were unknown", () => {
  expect(reason(anAlarm({ evaluationPeriods: 1 }), "INSUFFICIENT_DATA")).toBe("Insufficient Data: 1 datapoint was unknown.");
  expect(reason(anAlarm(), "INSUFFICIENT_DATA")).toBe("Insufficient Data: 3 datapoints were unknown.");
});

test("an alarm that only judges missing data says how it treats them", () => {
  expect(reason(anAlarm({ missing: "breaching" }), "ALARM")).toBe(
    "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching].",
  );
  expect(reason(anAlarm({ evaluationPeriods: 1 }), "OK")).toBe(
    "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
  );
});

test("an alarm names the datapoints that decided its state, newest first, and how many it needed", () => {
  expect(reason(anAlarm(), "ALARM", { values: [2, 0, 1.25] })).toBe(
    "Threshold Crossed: 2 out of the last 3 datapoints [2.0 (02/10/26 17:04:00), 1.25 (02/10/26 17:02:00)] were greater than the threshold (0.5) " +
      "(minimum 2 datapoints for OK -> ALARM transition).",
  );
  expect(reason(anAlarm({ datapointsToAlarm: 1 }), "ALARM", { values: [2] })).toContain("[2.0 (02/10/26 17:04:00)] was greater than");
  expect(reason(anAlarm({ datapointsToAlarm: 1 }), "ALARM", { values: [2] })).toContain("(minimum 1 datapoint for OK -> ALARM");
  expect(reason(anAlarm(), "OK", { values: [0, 2, 0.5], previous: "ALARM" })).toBe(
    "Threshold Crossed: 2 out of the last 3 datapoints [0.0 (02/10/26 17:04:00), 0.5 (02/10/26 17:02:00)] were not greater than the threshold (0.5) " +
      "(minimum 2 datapoints for ALARM -> OK transition).",
  );
  expect(reason(anAlarm({ datapointsToAlarm: 3 }), "OK", { values: [0] })).toContain(
    "[0.0 (02/10/26 17:04:00)] was not greater than the threshold (0.5) (minimum 1 datapoint for",
  );
});

test("the data of a reason begin at the oldest datapoint, and have the unit if the alarm has one", () => {
  const data = JSON.parse(noted(anAlarm({ unit: "Seconds" }), "ALARM", { values: [2, 0] }).reasonData ?? "");
  expect(data).toEqual({
    version: "1.0",
    queryDate: "2026-10-02T17:05:00.000+0000",
    startDate: "2026-10-02T17:03:00.000+0000",
    unit: "Seconds",
    statistic: "Maximum",
    period: 60,
    recentDatapoints: [0, 2],
    threshold: 0.5,
    evaluatedDatapoints: [
      { timestamp: "2026-10-02T17:04:00.000+0000", value: 2 },
      { timestamp: "2026-10-02T17:03:00.000+0000", value: 0 },
    ],
  });
  const none = JSON.parse(noted(anAlarm(), "INSUFFICIENT_DATA").reasonData ?? "");
  expect(none).toMatchObject({ recentDatapoints: [], evaluatedDatapoints: [] });
  expect(Object.keys(none)).not.toContain("startDate");
  expect(Object.keys(none)).not.toContain("unit");
});

test("the event of a change has the alarm's metric and both states, and leaves out what is not known", () => {
  const from = firstNote(atMs);
  const to: StateNote = { value: "OK", reason: "fine", reasonData: "{}", atMs: atMs + 1 };
  const { metric } = anAlarm();
  const states = {
    previousState: { value: "INSUFFICIENT_DATA", reason: "Unchecked: Initial alarm creation", timestamp: "2026-10-02T17:04:00.000+0000" },
    state: { value: "OK", reason: "fine", reasonData: "{}", timestamp: "2026-10-02T17:04:00.001+0000" },
  };
  const metrics = (more: object) => [{ id: "m1", metricStat: { metric, period: 60, stat: "Maximum", ...more }, returnData: true }];
  expect(stateChange(anAlarm(), from, to)).toStrictEqual({
    source: "aws.cloudwatch",
    detailType: "CloudWatch Alarm State Change",
    resources: ["arn:deep"],
    detail: { alarmName: "deep", configuration: { metrics: metrics({}) }, ...states },
  });
  expect(stateChange(anAlarm({ unit: "Seconds", description: "Too old." }), from, to).detail).toStrictEqual({
    alarmName: "deep",
    configuration: { description: "Too old.", metrics: metrics({ unit: "Seconds" }) },
    ...states,
  });
});
