import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { withProgress } from "../../../lib/cli/terminal/progress.ts";
import { startAlarms } from "../../../lib/local/cloudwatch/alarms.ts";
import { publishQueueMetrics } from "../../../lib/local/cloudwatch/queue-metrics.ts";
import { serveMetadata } from "../../../lib/local/ec2/instances/imds.ts";
import { reclaim } from "../../../lib/local/ec2/instances/reclaim.ts";
import { createStateEvents } from "../../../lib/local/ec2/instances/state-events.ts";
import { createCapacity } from "../../../lib/local/ec2/offers/capacity.ts";
import { ec2Controls } from "../../../lib/local/ec2-controls.ts";
import { createMetricStore } from "../../../lib/local/metrics/metric-store.ts";
import { expectLine } from "../../fakes/log-lines.ts";

const instance = { id: "i-1", region: "us-east-1", zone: "us-east-1a", accountId: "1" };
const put = async (): Promise<void> => undefined;
const aLongTimeMs = 600_000;

/** What works in the background. Each returns how to end it. */
const background: Readonly<Record<string, () => unknown>> = {
  "the metadata of an instance": async () => {
    const credentials = () => ({ accessKeyId: "A", secretAccessKey: "S", sessionToken: "T", expiresAtMs: 0 });
    const facts = { ...instance, instanceType: "g5.xlarge", market: "spot", imageId: "ami-1", privateIp: "10.0.0.1", tags: {} } as const;
    const service = await serveMetadata({ instance: facts, role: "nodes", showsTags: false, credentials, notices: () => ({}) });
    return () => service.close();
  },
  "the metrics of queues": () => {
    const sqs = new SQSClient({ region: "us-east-1" });
    const metrics = publishQueueMetrics({ queues: [], sqs, periodMs: aLongTimeMs, put: () => undefined, now: () => 0, log: expectLine });
    return () => metrics.close();
  },
  "an alarm": () => {
    const metric = { namespace: "n", name: "m", dimensions: {} };
    const rule = { statistic: "Sum", comparison: "GreaterThanThreshold", missing: "ignore" } as const;
    const numbers = { periodSeconds: 60, evaluationPeriods: 1, datapointsToAlarm: 1, threshold: 1 };
    const metrics = createMetricStore({ keepMs: 1, now: () => 0 });
    const alarms = [{ name: "a", arn: "arn", metric, ...rule, ...numbers }];
    const started = startAlarms({ alarms, metrics, periodScale: 1, putEvent: put, now: () => 0, log: expectLine });
    return () => started.close();
  },
  "a refusal that ends": () => {
    const none = () => undefined;
    const ec2 = {
      refuse: () => none,
      limitCapacity: none,
      limitRequests: none,
      throttleNext: none,
      loseNextResponse: none,
      delayNextResponse: none,
    };
    const [, refuse] = ec2Controls(ec2).find(([path]) => path.endsWith("/refuse")) ?? [];
    refuse?.({ offer: {}, forMs: aLongTimeMs });
  },
  "a plan of capacity": () => {
    const capacity = createCapacity({ "*/*/spot": [[aLongTimeMs, 1]] });
    return reclaim({ capacity, lifecycle: { instances: [], interrupt: () => 0 }, sinceMs: () => 0 }).stop;
  },
  "an event that is late": () => {
    createStateEvents(put, expectLine, () => aLongTimeMs).emit(instance, { kind: "rebalance" });
  },
  "the progress of a command": () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    void withProgress({ progress: () => undefined }, "waiting", () => promise);
    return resolve;
  },
};

/** What keeps the process alive, of the kinds that these have. */
const alive = (): readonly string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => /^(?:Timeout|TCPServerWrap)$/.test(kind))
    .sort();

it.each(Object.entries(background))("%s does not keep the process alive", async (_what, start) => {
  const before = alive();
  const end = await start();
  expect(alive()).toEqual(before);
  if (typeof end === "function") await end();
});
