import { afterEach, describe, expect, it, vi } from "vitest";
import { type AlarmsOptions, startAlarms } from "../../../lib/local/cloudwatch/alarms.ts";
import type { ServiceEvent } from "../../../lib/local/emulators/ministack.ts";
import type { Alarm, AlarmState, MissingTreatment } from "../../../lib/local/metrics/alarm.ts";
import { evaluate } from "../../../lib/local/metrics/evaluate.ts";
import { single } from "../../../lib/local/metrics/metric.ts";
import { createMetricStore } from "../../../lib/local/metrics/metric-store.ts";
import { expectLine } from "../../fakes/log-lines.ts";

const metric = { namespace: "AWS/SQS", name: "ApproximateNumberOfMessagesVisible", dimensions: { QueueName: "jobs" } };
const anAlarm = (change: Partial<Alarm> = {}): Alarm => ({
  name: "deep",
  arn: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:deep",
  description: "The queue is deep.",
  metric,
  statistic: "Maximum",
  periodSeconds: 60,
  evaluationPeriods: 3,
  datapointsToAlarm: 3,
  threshold: 10,
  comparison: "GreaterThanOrEqualToThreshold",
  missing: "missing",
  ...change,
});

/** The notation of CloudWatch's guide: `X` breaches, `0` does not, `-` is missing. Oldest first. */
const judge = (alarm: Alarm, drawn: string, current: AlarmState = "OK"): AlarmState =>
  evaluate(
    alarm,
    drawn.split(" ").map((mark, i) => (mark === "-" ? undefined : { atMs: i, value: mark === "X" ? 10 : 9 })),
    current,
  ).state;

describe("missing data", () => {
  const treatments: readonly MissingTreatment[] = ["missing", "ignore", "breaching", "notBreaching"];
  const kept = "INSUFFICIENT_DATA";
  it.each<[string, readonly AlarmState[]]>([
    ["0 - X - X", ["OK", "OK", "OK", "OK"]],
    ["- - - - 0", ["OK", "OK", "OK", "OK"]],
    ["- - - - -", ["INSUFFICIENT_DATA", kept, "ALARM", "OK"]],
    ["0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]],
    ["- - X - -", ["ALARM", kept, "ALARM", "OK"]],
  ])("an alarm that needs 3 of 3 datapoints treats %s as the tables in CloudWatch's guide do", (drawn, states) => {
    expect(treatments.map((missing) => judge(anAlarm({ missing }), drawn, kept))).toEqual(states);
  });
  it.each<[string, readonly AlarmState[]]>([
    ["0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]],
    ["0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]],
    ["0 - X - -", ["OK", "OK", "ALARM", "OK"]],
    ["- - - - 0", ["OK", "OK", "ALARM", "OK"]],
    ["- - - X -", ["ALARM", kept, "ALARM", "OK"]],
  ])("an alarm that needs 2 of 3 datapoints treats %s as the tables in CloudWatch's guide do", (drawn, states) => {
    expect(treatments.map((missing) => judge(anAlarm({ missing, datapointsToAlarm: 2 }), drawn, kept))).toEqual(states);
  });
  it("a single new breaching datapoint does not change an alarm's state", () => {
    expect(judge(anAlarm(), "- - - - X", "INSUFFICIENT_DATA")).toBe("INSUFFICIENT_DATA");
    expect(judge(anAlarm(), "- - - - X", "OK")).toBe("OK");
  });
});

it("an alarm compares values with its operator", () => {
  const at = (comparison: Alarm["comparison"]) =>
    ["0", "X"].map((mark) => judge(anAlarm({ comparison, evaluationPeriods: 1, datapointsToAlarm: 1 }), `- - ${mark}`));
  expect(at("GreaterThanOrEqualToThreshold")).toEqual(["OK", "ALARM"]);
  expect(at("GreaterThanThreshold")).toEqual(["OK", "OK"]);
  expect(at("LessThanThreshold")).toEqual(["ALARM", "OK"]);
  expect(at("LessThanOrEqualToThreshold")).toEqual(["ALARM", "ALARM"]);
});

function stage(change: Partial<Alarm> = {}, options: Partial<AlarmsOptions> = {}) {
  const startMs = Date.UTC(2026, 9, 2, 17, 0, 0);
  let nowMs = startMs;
  const now = (): number => nowMs;
  const metrics = createMetricStore({ keepMs: 3_600_000, now });
  const events: ServiceEvent[] = [];
  const alarms = startAlarms({
    alarms: [anAlarm({ evaluationPeriods: 2, datapointsToAlarm: 2, missing: "notBreaching", ...change })],
    metrics,
    periodScale: 30,
    putEvent: async (event) => void events.push(event),
    now,
    log: expectLine,
    ...options,
  });
  return {
    alarms,
    events,
    states: () => events.map((event) => JSON.parse(JSON.stringify(event.detail)).state.value),
    /** Puts values at the start of a local period, which lasts 2 s instead of 60, and evaluates the alarms at its end. */
    period: (...values: readonly number[]) => {
      metrics.put(values.map((value) => ({ metric, atMs: nowMs, unit: "Count", values: single(value) })));
      nowMs += 2_000;
      alarms.evaluate(nowMs);
    },
    startMs,
  };
}

describe("the alarms of a local cloud", () => {
  it("alarms are listed by name", () => {
    const { alarms } = stage({}, { alarms: ["deep", "a", "z"].map((name) => anAlarm({ name })) });
    expect(alarms.list().map(({ name }) => name)).toEqual(["a", "deep", "z"]);
  });

  it("an alarm on a percentile ignores the largest of many values", () => {
    const { alarms, period } = stage({ statistic: "p90", evaluationPeriods: 1, datapointsToAlarm: 1 });
    const state = (...values: readonly number[]) => {
      period(...values);
      return alarms.list().map((each) => each.state);
    };
    const few = Array.from({ length: 9 }, () => 1);
    expect([state(...few, 99), state(...few, 99, 99)]).toEqual([["OK"], ["ALARM"]]);
  });

  it("an alarm that stays over its threshold changes its state once, and sends one event in CloudWatch's format", async () => {
    const { alarms, events, period, startMs } = stage();
    period(3, 12);
    period(11, 12);
    period(12);
    period(1);
    period(0);
    await alarms.close();
    expect(events).toMatchObject([
      {
        source: "aws.cloudwatch",
        detailType: "CloudWatch Alarm State Change",
        resources: ["arn:aws:cloudwatch:us-east-1:000000000000:alarm:deep"],
        detail: {
          previousState: {
            value: "INSUFFICIENT_DATA",
            reason: "Unchecked: Initial alarm creation",
            timestamp: "2026-10-02T17:00:00.000+0000",
          },
          state: { value: "OK" },
        },
      },
      {
        detail: {
          alarmName: "deep",
          configuration: {
            description: "The queue is deep.",
            metrics: [
              {
                metricStat: {
                  metric: { namespace: "AWS/SQS", name: "ApproximateNumberOfMessagesVisible", dimensions: { QueueName: "jobs" } },
                  period: 60,
                  stat: "Maximum",
                },
                returnData: true,
              },
            ],
          },
          previousState: { value: "OK" },
          state: {
            value: "ALARM",
            reason:
              "Threshold Crossed: 2 out of the last 2 datapoints [12.0 (02/10/26 17:00:02), 12.0 (02/10/26 17:00:00)] were greater than or equal to the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition).",
            timestamp: "2026-10-02T17:00:04.000+0000",
          },
        },
      },
      { detail: { previousState: { value: "ALARM" }, state: { value: "OK" } } },
    ]);
    const alarmed = JSON.parse(JSON.stringify(events[1]?.detail));
    expect(JSON.parse(alarmed.state.reasonData)).toEqual({
      version: "1.0",
      queryDate: "2026-10-02T17:00:04.000+0000",
      startDate: "2026-10-02T17:00:00.000+0000",
      statistic: "Maximum",
      period: 60,
      recentDatapoints: [12, 12],
      threshold: 10,
      evaluatedDatapoints: [
        { timestamp: "2026-10-02T17:00:02.000+0000", value: 12 },
        { timestamp: "2026-10-02T17:00:00.000+0000", value: 12 },
      ],
    });
    expect(alarms.list()).toEqual([{ name: "deep", state: "OK", sinceMs: startMs + 8_000, reason: expect.any(String) }]);
  });

  it.each<[Alarm["statistic"], AlarmState]>([
    ["Average", "OK"],
    ["Sum", "ALARM"],
    ["Minimum", "OK"],
    ["Maximum", "OK"],
    ["SampleCount", "OK"],
  ])("an alarm evaluates the statistic %s", async (statistic, expected) => {
    const { alarms, period } = stage({ statistic });
    period(4, 5, 6);
    period(4, 5, 6);
    await alarms.close();
    expect(alarms.list()[0]?.state).toBe(expected);
  });

  it("an alarm ignores metrics with other dimensions or another unit", async () => {
    const other = stage({ metric: { ...metric, dimensions: { QueueName: "others" } } });
    const unit = stage({ unit: "Seconds" });
    for (const { period, alarms } of [other, unit]) {
      period(50);
      period(50);
      await alarms.close();
      expect(alarms.list()[0]?.state).toBe("OK");
    }
  });

  it("an alarm's state can be set by hand and holds until the next evaluation", async () => {
    const { alarms, period, states } = stage();
    period(0);
    alarms.set("deep", "ALARM", "a drill");
    alarms.set("deep", "ALARM", "a drill");
    expect(alarms.list()[0]).toMatchObject({ state: "ALARM", reason: "a drill" });
    period(0);
    await alarms.close();
    expect(states()).toEqual(["OK", "ALARM", "OK"]);
    expect(() => alarms.set("shallow", "OK", "")).toThrow(/no alarm shallow; the alarms are: deep/);
  });

  it("alarms still send later events if the bus refuses one", async () => {
    let failures = 1;
    const sent: ServiceEvent[] = [];
    const { alarms, period } = stage(
      {},
      {
        putEvent: async (event) => {
          if (failures-- > 0) throw new Error("no bus");
          sent.push(event);
        },
      },
    );
    period(0);
    alarms.set("deep", "ALARM", "a drill");
    await alarms.close();
    expect(sent).toHaveLength(1);
  });
});

describe("the timers of alarms", () => {
  afterEach(() => void vi.useRealTimers());

  /** Alarms of one period on a clock of their own, which runs 30 times as fast as AWS's. */
  function running(...periods: readonly number[]) {
    vi.useFakeTimers({ now: 0 });
    const now = (): number => Date.now();
    const metrics = createMetricStore({ keepMs: 3_600_000, now });
    const one = { evaluationPeriods: 1, datapointsToAlarm: 1, missing: "notBreaching" } as const;
    const all = periods.map((periodSeconds) => anAlarm({ ...one, name: `of ${periodSeconds} s`, periodSeconds }));
    const alarms = startAlarms({ alarms: all, metrics, periodScale: 30, putEvent: async () => undefined, now, log: expectLine });
    return {
      alarms,
      states: () => alarms.list().map(({ state }) => state),
      put: (value: number) => metrics.put([{ metric, atMs: now(), unit: "Count", values: single(value) }]),
    };
  }

  it("a period is evaluated 0.1 s after its end, because its last values may arrive late", async () => {
    const { states, put } = running(60);
    await vi.advanceTimersByTimeAsync(1_950);
    put(12);
    await vi.advanceTimersByTimeAsync(60);
    expect(states()).toEqual(["OK"]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(states()).toEqual(["ALARM"]);
  });

  it("an alarm is evaluated once per period, and once per minute if its period is longer", async () => {
    const { states, put } = running(30, 60, 300);
    put(12);
    await vi.advanceTimersByTimeAsync(1_010);
    expect(states()).toEqual(["ALARM", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(states()).toEqual(["ALARM", "ALARM", "ALARM"]);
  });

  it("no alarm is evaluated after the alarms were closed", async () => {
    const { alarms, states, put } = running(60);
    put(12);
    await alarms.close();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([states(), vi.getTimerCount()]).toEqual([["INSUFFICIENT_DATA"], 0]);
  });
});
