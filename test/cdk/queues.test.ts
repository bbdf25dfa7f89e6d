import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { named, Synthesized } from "./synthesized.ts";

const stack = new Synthesized();
const queues = stack.all("AWS::SQS::Queue");
const isDead = (name: unknown): boolean => String(name).startsWith("fleetwright-dead-");
const Redrive = z.object({ deadLetterTargetArn: z.unknown(), maxReceiveCount: z.int().min(1).max(1_000) });

describe("queues", () => {
  test("each team has its own queue", () => {
    const names = queues.map(({ properties }) => properties["QueueName"]);
    expect(names).toEqual(
      expect.arrayContaining([
        "fleetwright-jobs-research",
        "fleetwright-jobs-vision",
        "fleetwright-lane.fifo",
        "fleetwright-later",
        "fleetwright-seal",
        "fleetwright-shards",
      ]),
    );
  });

  test("each work queue moves messages that failed for 12 hours to a dead-letter queue of its own kind, even if their function never postpones them", () => {
    const working = queues.filter(({ properties }) => !isDead(properties["QueueName"]));
    expect(working).toHaveLength(7);
    for (const { properties } of working) {
      const { deadLetterTargetArn, maxReceiveCount } = Redrive.parse(properties["RedrivePolicy"]);
      expect(maxReceiveCount * z.number().parse(properties["VisibilityTimeout"])).toBeGreaterThanOrEqual(12 * 3_600);
      expect(properties["MessageRetentionPeriod"], "SQS deletes after four days by default, without a trace").toBe(14 * 86_400);
      const dead = named(deadLetterTargetArn);
      const target = queues.find(({ id }) => id === dead)?.properties;
      expect(isDead(target?.["QueueName"])).toBe(true);
      expect(target?.["FifoQueue"]).toBe(properties["FifoQueue"]);
      const isOutdated = /lane|later/.test(String(target?.["QueueName"]));
      expect(target?.["MessageRetentionPeriod"]).toBe((isOutdated ? 1 : 14) * 86_400);
    }
  });

  test("each dead-letter queue has an alarm on its first message, except those of teams' jobs, which the tick watches", () => {
    const watched = stack
      .all("AWS::CloudWatch::Alarm")
      .filter(({ properties }) => properties["MetricName"] === "ApproximateNumberOfMessagesVisible" && properties["Threshold"] === 1)
      .map(({ properties }) => z.array(z.object({ Name: z.string(), Value: z.unknown() })).parse(properties["Dimensions"])[0]?.Value)
      .map(named);
    const isOfTeam = (name: unknown): boolean => String(name).startsWith("fleetwright-dead-jobs-");
    const dead = queues.filter(({ properties }) => isDead(properties["QueueName"]));
    const own = dead.filter(({ properties }) => !isOfTeam(properties["QueueName"]));
    expect(watched.toSorted()).toEqual(own.map(({ id }) => id).toSorted());
    expect([dead.length, own.length]).toEqual([10, 8]);
  });

  test("each queue is encrypted and refuses calls without TLS", () => {
    const guarded = stack
      .all("AWS::SQS::QueuePolicy")
      .filter(({ properties }) => JSON.stringify(properties).includes('"aws:SecureTransport":"false"'))
      .flatMap(({ properties }) => z.array(z.unknown()).parse(properties["Queues"]).map(named));
    for (const { id, properties } of queues) {
      expect(properties["SqsManagedSseEnabled"]).toBe(true);
      expect(guarded).toContain(id);
    }
  });

  test("the lane never merges two rings into one, and pools do not wait for each other", () => {
    stack.template.hasResourceProperties("AWS::SQS::Queue", {
      QueueName: "fleetwright-lane.fifo",
      FifoQueue: true,
      ContentBasedDeduplication: false,
      DeduplicationScope: "messageGroup",
      FifoThroughputLimit: "perMessageGroupId",
      VisibilityTimeout: 50,
    });
    // A batch could hold rings of several pools.
    const lane = queues.find(({ properties }) => properties["QueueName"] === "fleetwright-lane.fifo");
    const readers = stack
      .all("AWS::Lambda::EventSourceMapping")
      .filter(({ properties }) => named(properties["EventSourceArn"]) === lane?.id);
    expect(readers.map(({ properties }) => properties["BatchSize"])).toEqual([1]);
  });

  test("each function that reads a queue reports failures per message and times out before a message is visible again", () => {
    const mappings = stack.all("AWS::Lambda::EventSourceMapping");
    expect(mappings).toHaveLength(7);
    for (const { properties } of mappings) {
      const queue = queues.find(({ id }) => id === named(properties["EventSourceArn"]));
      const reader = stack.all("AWS::Lambda::Function").find(({ id }) => id === named(properties["FunctionName"]));
      expect(properties["FunctionResponseTypes"]).toEqual(["ReportBatchItemFailures"]);
      expect(properties["MaximumBatchingWindowInSeconds"]).toBeUndefined();
      expect(Number(queue?.properties["VisibilityTimeout"])).toBeGreaterThan(Number(reader?.properties["Timeout"]));
    }
  });

  test("each queue that a team can fill is read with a maximum concurrency, so that it cannot use up the account's", () => {
    // These hold one message per pool at a time, which Fleetwright itself sends. Every other queue is taken to be one that teams can fill.
    const ours = ["fleetwright-lane.fifo", "fleetwright-later"];
    const limits = (of: Synthesized): Record<string, unknown> =>
      Object.fromEntries(
        of.all("AWS::Lambda::EventSourceMapping").map(({ properties }) => {
          const source = named(properties["EventSourceArn"]);
          const queue = of.all("AWS::SQS::Queue").find(({ id }) => id === source);
          return [String(queue?.properties["QueueName"]), properties["ScalingConfig"]];
        }),
      );
    const { jobs, seal, shards } = parseConfiguration(fleetConfig, "the test").queueConcurrency;
    const unlimited = Object.entries(limits(stack)).flatMap(([name, scaling]) => (scaling === undefined ? [name] : []));
    expect(unlimited.toSorted()).toEqual(ours);
    expect(limits(stack)).toMatchObject({
      "fleetwright-jobs-research": { MaximumConcurrency: jobs },
      "fleetwright-jobs-vision": { MaximumConcurrency: jobs },
      "fleetwright-seal": { MaximumConcurrency: seal },
      "fleetwright-shards": { MaximumConcurrency: shards },
    });
    const other = new Synthesized({ ...fleetConfig, queueConcurrency: { jobs: 2, seal: 3, shards: 4 } });
    expect(limits(other)).toMatchObject({
      "fleetwright-jobs-vision": { MaximumConcurrency: 2 },
      "fleetwright-seal": { MaximumConcurrency: 3 },
      "fleetwright-shards": { MaximumConcurrency: 4 },
    });
  });

  test.each([1, 1_001, 2.5])("the configuration refuses %d batches of a queue at a time, because AWS does", (jobs) => {
    expect(() => parseConfiguration({ ...fleetConfig, queueConcurrency: { jobs } }, "the test")).toThrow(/queueConcurrency\.jobs/);
  });

  test("changes of data trigger events, and changes of Fleetwright's own records about data do not", () => {
    stack.template.hasResourceProperties("AWS::Events::Rule", {
      EventPattern: {
        source: ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        detail: {
          bucket: { name: [{ Ref: Match.stringLikeRegexp("Datasets") }] },
          object: { key: [{ "anything-but": { prefix: "_fleetwright/" } }] },
        },
      },
      Targets: [
        Match.objectLike({
          Arn: Match.objectLike({ "Fn::GetAtt": [Match.stringLikeRegexp("Shards"), "Arn"] }),
          DeadLetterConfig: Match.anyValue(),
        }),
      ],
    });
  });

  test.each([
    ["manifests", { suffix: "/manifest.json" }],
    ["parts of logs", { wildcard: "*/log/*/*.gz" }],
  ])("uploaded %s are sent to the seal queue", (_what, key) => {
    stack.template.hasResourceProperties("AWS::Events::Rule", {
      EventPattern: { source: ["aws.s3"], "detail-type": ["Object Created"], detail: { object: { key: [key] } } },
      Targets: [
        Match.objectLike({
          Arn: Match.objectLike({ "Fn::GetAtt": [Match.stringLikeRegexp("Seal"), "Arn"] }),
          DeadLetterConfig: Match.anyValue(),
        }),
      ],
    });
  });
});
