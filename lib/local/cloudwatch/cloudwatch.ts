/**
 * The CloudWatch of the local cloud. It collects metrics from the lines that functions print (EMF), from PutMetricData calls on
 * their way to moto, and from the stack's queues and functions, which it polls. It evaluates the stack's alarms and sends each
 * change of state to EventBridge. It keeps metrics only for as long as an alarm looks back.
 */
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { ServiceEvent } from "../emulators/ministack.ts";
import type { FunctionLine } from "../lambda/functions.ts";
import type { Alarm } from "../metrics/alarm.ts";
import { periodsLookedAt } from "../metrics/evaluate.ts";
import { type Datum, single } from "../metrics/metric.ts";
import { createMetricStore, type MetricStore } from "../metrics/metric-store.ts";
import type { QueueFact } from "../provision/world.ts";
import type { HttpCall } from "../requests/http.ts";
import type { LocalLog } from "../run/log-line.ts";
import { type EmulatedAlarms, startAlarms } from "./alarms.ts";
import { emfData } from "./emf.ts";
import { putMetricData } from "./put-metric-data.ts";
import { publishQueueMetrics } from "./queue-metrics.ts";

export type CloudWatchBehaviour = {
  /** Time between two polls of the queues, ms. AWS polls once per minute. */
  readonly periodMs: number;
  /** How many times faster alarms' periods pass: with 30, a period of 60 s in the template lasts 2 s. Values are not scaled. */
  readonly periodScale: number;
};

export const defaultCloudWatch: CloudWatchBehaviour = { periodMs: 2_000, periodScale: 30 };

export type CloudWatch = {
  readonly metrics: MetricStore;
  readonly alarms: EmulatedAlarms;
  noteLine(line: FunctionLine): void;
  /** Records the metrics of a call that CloudWatch has accepted. Never throws. */
  noteCall(call: HttpCall): void;
  close(): Promise<void>;
};

export type CloudWatchOptions = {
  readonly alarms: readonly Alarm[];
  readonly queues: readonly QueueFact[];
  readonly sqs: SQSClient;
  readonly behaviour?: Partial<CloudWatchBehaviour> | undefined;
  putEvent(event: ServiceEvent): Promise<void>;
  readonly log: LocalLog;
};

export function startCloudWatch(options: CloudWatchOptions): CloudWatch {
  const { log } = options;
  const { periodMs, periodScale } = { ...defaultCloudWatch, ...options.behaviour };
  const now = (): number => Date.now();
  const looksBackMs = options.alarms.map((alarm) => (periodsLookedAt(alarm) * alarm.periodSeconds * 1000) / periodScale);
  const metrics = createMetricStore({ keepMs: 2 * Math.max(60_000, ...looksBackMs), now });
  const alarms = startAlarms({ ...options, metrics, periodScale, now });
  const queues = publishQueueMetrics({ ...options, periodMs, put: metrics.put, now });
  return {
    metrics,
    alarms,
    noteLine: (line) => metrics.put(functionData(line)),
    noteCall: (call) => {
      try {
        metrics.put(putMetricData(call, now()) ?? []);
      } catch (error) {
        // No alarm sees the metrics of this call.
        log({ message: "CloudWatch call not read", error });
      }
    },
    close: async () => {
      await queues.close();
      await alarms.close();
    },
  };
}

/** Returns the metrics in a line of a function's log: those that it printed, and AWS/Lambda's own at the end of an invocation. */
function functionData(line: FunctionLine): readonly Datum[] {
  if ("printed" in line) return emfData(line["printed"]);
  if (!("failed" in line) && !("returned" in line)) return [];
  const datum = (name: string, unit: string, value: number): Datum => ({
    metric: { namespace: "AWS/Lambda", name, dimensions: { FunctionName: line.function } },
    atMs: Date.parse(line.time),
    unit,
    values: single(value),
  });
  const took = line["durationMs"];
  return [
    datum("Invocations", "Count", 1),
    datum("Errors", "Count", "failed" in line ? 1 : 0),
    ...(typeof took === "number" ? [datum("Duration", "Milliseconds", took)] : []),
  ];
}
