import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, describe, expect, it } from "vitest";
import { defaultCloudWatch, startCloudWatch } from "../../../lib/local/cloudwatch/cloudwatch.ts";
import { publishQueueMetrics } from "../../../lib/local/cloudwatch/queue-metrics.ts";
import type { Alarm } from "../../../lib/local/metrics/alarm.ts";
import { type Datum, merged, pick, single, statisticNames, statisticsOf } from "../../../lib/local/metrics/metric.ts";
import { createMetricStore } from "../../../lib/local/metrics/metric-store.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An SQS that responds with what `look` returns for a queue. */
function queuesThat(look: (url: string) => object | Promise<object>) {
  const sqs = new SQSClient({ region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
  const asked: object[] = [];
  sqs.middlewareStack.add(
    () =>
      async ({ input }: { input: object }) => {
        asked.push(input);
        return { output: { $metadata: {}, ...(await look(String(Reflect.get(input, "QueueUrl")))) }, response: {} };
      },
    { step: "initialize", priority: "high" },
  );
  closing.push(() => sqs.destroy());
  return { sqs, asked };
}
const messages = (visible: number, notVisible = 0, delayed = 0) => ({
  Attributes: {
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(notVisible),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  },
});
const jobs = { name: "jobs", url: "http://queues/jobs" };

describe("the metrics of queues", () => {
  async function rounds(states: readonly (object | Error)[], secondsBetween = 1.5) {
    const data: Datum[][] = [];
    const lines: Logged[] = [];
    let round = 0;
    const { sqs, asked } = queuesThat(() => {
      const state = states[Math.min(round, states.length - 1)];
      round += 1;
      if (state instanceof Error) throw state;
      return state ?? {};
    });
    const log = (line: Logged) => {
      expectLine(line);
      lines.push(line);
    };
    const now = () => (round - 1) * secondsBetween * 1000;
    const metrics = publishQueueMetrics({ queues: [jobs], sqs, periodMs: 2, put: (more) => void data.push([...more]), now, log });
    closing.push(() => metrics.close());
    await expect.poll(() => round).toBeGreaterThanOrEqual(states.length + 1);
    return { data, lines, asked };
  }
  const valuesOf = (data: readonly Datum[] = []) => data.map(({ metric, unit, values }) => `${metric.name} ${unit} ${values.sum}`);

  it("the numbers of messages of each kind are published for each queue", async () => {
    const { data, asked } = await rounds([messages(3, 2, 1)]);
    expect(data[0]?.[0]).toEqual({
      metric: { namespace: "AWS/SQS", name: "ApproximateNumberOfMessagesVisible", dimensions: { QueueName: "jobs" } },
      atMs: 0,
      unit: "Count",
      values: single(3),
    });
    expect(valuesOf(data[0])).toEqual([
      "ApproximateNumberOfMessagesVisible Count 3",
      "ApproximateNumberOfMessagesNotVisible Count 2",
      "ApproximateNumberOfMessagesDelayed Count 1",
      "ApproximateAgeOfOldestMessage Seconds 0",
    ]);
    expect(asked[0]).toEqual({
      QueueUrl: jobs.url,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"],
    });
  });

  it.each([
    ["visible", messages(1)],
    ["taken", messages(0, 1)],
    ["delayed", messages(0, 0, 1)],
  ])(
    "the age of the oldest message counts from the first look at a queue with a %s message until the queue is empty",
    async (_what, full) => {
      const { data } = await rounds([messages(0), full, full, full, messages(0), full]);
      expect(data.slice(0, 6).map((each) => each[3]?.values.sum)).toEqual([0, 0, 1, 3, 0, 0]);
    },
  );

  it("a queue that cannot be read is logged, and the next look reads it again", async () => {
    const { data, lines } = await rounds([new Error("connection reset"), messages(1)]);
    expect(lines).toEqual([{ message: "queue metrics not read", queue: "jobs", error: new Error("connection reset") }]);
    expect(data[0]?.[0]?.values.sum).toBe(1);
  });

  it("queues are read one after the other, and not twice at the same time", async () => {
    let now = 0;
    let most = 0;
    let looks = 0;
    const { sqs } = queuesThat(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      looks += 1;
      return messages(0);
    });
    const queues = ["a", "b", "c"].map((name) => ({ name, url: `http://queues/${name}` }));
    const metrics = publishQueueMetrics({ queues, sqs, periodMs: 1, put: () => undefined, now: () => 0, log: expectLine });
    closing.push(() => metrics.close());
    await expect.poll(() => looks).toBeGreaterThan(5);
    expect(most).toBe(1);
  });
});

describe("the local CloudWatch", () => {
  const alarm: Alarm = {
    name: "a",
    arn: "arn",
    metric: { namespace: "n", name: "m", dimensions: {} },
    statistic: "Sum",
    periodSeconds: 60,
    evaluationPeriods: 1,
    datapointsToAlarm: 1,
    threshold: 1,
    comparison: "GreaterThanThreshold",
    missing: "missing",
  };
  const started = (over: { alarms?: readonly Alarm[] } = {}) => {
    const lines: Logged[] = [];
    const { sqs } = queuesThat(() => messages(0));
    const log = (line: Logged) => {
      expectLine(line);
      lines.push(line);
    };
    const cloudWatch = startCloudWatch({ alarms: [], queues: [], sqs, putEvent: async () => undefined, log, ...over });
    closing.push(() => cloudWatch.close());
    return { cloudWatch, lines };
  };
  const statistics = ({ cloudWatch }: ReturnType<typeof started>, namespace: string, name: string, dimensions: Record<string, string>) =>
    cloudWatch.metrics.statistics({ namespace, name, dimensions }, { fromMs: 0, toMs: Number.POSITIVE_INFINITY });

  it("queues are read every two seconds, and periods of alarms pass thirty times faster than on AWS", () => {
    expect(defaultCloudWatch).toEqual({ periodMs: 2_000, periodScale: 30 });
  });

  it("the end of an invocation counts as one, as an error if it failed, and with its duration", () => {
    const stage = started();
    const line = { time: new Date().toISOString(), function: "place", requestId: "1" };
    stage.cloudWatch.noteLine({ ...line, returned: "null", durationMs: 7 });
    stage.cloudWatch.noteLine({ ...line, failed: "it threw" });
    stage.cloudWatch.noteLine({ ...line, printed: "hello" });
    const of = (name: string) => statistics(stage, "AWS/Lambda", name, { FunctionName: "place" });
    expect(of("Invocations")).toMatchObject({ sum: 2, count: 2, minimum: 1, maximum: 1 });
    expect(of("Errors")).toMatchObject({ sum: 1, count: 2, minimum: 0, maximum: 1 });
    expect(of("Duration")).toMatchObject({ sum: 7, count: 1, minimum: 7, maximum: 7 });
  });

  it("metrics that a function prints, and those of PutMetricData, are recorded", () => {
    const stage = started();
    const printed = {
      _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: "F", Dimensions: [["pool"]], Metrics: [{ Name: "Queued" }] }] },
      pool: "gpu",
      Queued: 4,
    };
    stage.cloudWatch.noteLine({ time: new Date().toISOString(), function: "tick", printed });
    expect(statistics(stage, "F", "Queued", { pool: "gpu" })).toEqual(single(4));
    const form = "Action=PutMetricData&Namespace=G&MetricData.member.1.MetricName=M&MetricData.member.1.Value=5";
    stage.cloudWatch.noteCall({ method: "POST", path: "/", headers: {}, body: Buffer.from(form) });
    expect(statistics(stage, "G", "M", {})).toEqual(single(5));
    stage.cloudWatch.noteCall({ method: "POST", path: "/", headers: {}, body: Buffer.from("Action=GetMetricData") });
    expect(stage.lines).toEqual([]);
  });

  it("a call that cannot be read is logged", () => {
    const { cloudWatch, lines } = started();
    cloudWatch.noteCall({ method: "POST", path: "/service/x/operation/PutMetricData", headers: {}, body: Buffer.from("") });
    expect(lines).toMatchObject([
      { message: "CloudWatch call not read", error: { message: "The local cloud cannot read PutMetricData in CBOR" } },
    ]);
  });

  it.each([
    ["two minutes without alarms", [], 119_000, 121_000],
    ["as long as the slowest alarm looks back, twice", [{ ...alarm, evaluationPeriods: 58 }], 239_000, 241_000],
  ])("metrics are kept for %s", (_what, alarms, keptMs, goneMs) => {
    const stage = started({ alarms });
    const put = (agoMs: number) => {
      const time = new Date(Date.now() - agoMs).toISOString();
      stage.cloudWatch.noteLine({ time, function: `f${agoMs}`, failed: "x" });
      stage.cloudWatch.noteLine({ time: new Date().toISOString(), function: `f${agoMs}`, failed: "x" });
      return statistics(stage, "AWS/Lambda", "Errors", { FunctionName: `f${agoMs}` })?.count;
    };
    expect([put(keptMs), put(goneMs)]).toEqual([2, 1]);
  });
});

describe("the store of metrics", () => {
  const metric = { namespace: "n", name: "m", dimensions: { a: "1", b: "2" } };
  const at = (atMs: number, value: number, unit?: string): Datum => ({ metric, atMs, unit, values: single(value) });

  it("statistics include the values from the beginning of a time until before its end", () => {
    const store = createMetricStore({ keepMs: 100, now: () => 100 });
    store.put([at(10, 1), at(19, 2), at(20, 4)]);
    expect(store.statistics(metric, { fromMs: 10, toMs: 20 })).toMatchObject({ sum: 3, count: 2, minimum: 1, maximum: 2 });
    expect(store.statistics(metric, { fromMs: 11, toMs: 21 })?.sum).toBe(6);
    expect(store.statistics(metric, { fromMs: 21, toMs: 99 })).toBeUndefined();
  });

  it("statistics with a unit include only values of that unit, and dimensions may have any order", () => {
    const store = createMetricStore({ keepMs: 100, now: () => 100 });
    store.put([at(10, 1, "Count"), at(10, 2, "Seconds"), at(10, 4)]);
    const whole = { fromMs: 0, toMs: 100 };
    expect(store.statistics(metric, { ...whole, unit: "Count" })?.sum).toBe(1);
    expect(store.statistics({ ...metric, dimensions: { b: "2", a: "1" } }, whole)?.sum).toBe(7);
    for (const other of [{ name: "x" }, { namespace: "x" }, { dimensions: { a: "1" } }])
      expect(store.statistics({ ...metric, ...other }, whole)).toBeUndefined();
  });

  it("a value is dropped when it is older than what is kept", () => {
    let nowMs = 100;
    const store = createMetricStore({ keepMs: 100, now: () => nowMs });
    store.put([at(0, 1), at(1, 2)]);
    nowMs = 101;
    store.put([at(101, 4)]);
    expect(store.statistics(metric, { fromMs: 0, toMs: 200 })?.sum).toBe(6);
  });

  it("values are summed up by their number, and each statistic can be picked", () => {
    const values = merged([single(2, 3), statisticsOf([1, 5])]);
    expect(values).toMatchObject({ sum: 12, count: 5, minimum: 1, maximum: 5 });
    expect(statisticNames.map((name) => pick(values, name))).toEqual([2.4, 12, 1, 5, 5]);
  });

  it("a percentile is the smallest value that so many percent of the values do not exceed", () => {
    const values = merged([statisticsOf([30, 10]), single(20, 98)]);
    expect((["p1", "p50", "p99", "p99.5", "p100"] as const).map((name) => pick(values, name))).toEqual([10, 20, 20, 30, 30]);
    expect(pick(statisticsOf([7]), "p99")).toBe(7);
  });

  it("there is no percentile of values of which only statistics were published", () => {
    const summary = { sum: 3, count: 2, minimum: 1, maximum: 2 };
    expect([pick(summary, "p99"), pick(merged([single(1), summary]), "p99"), pick(summary, "Sum")]).toEqual([undefined, undefined, 3]);
  });
});
