import { describe, expect, test } from "vitest";
import { ConditionsFailed, call, getItems } from "../../../lib/aws/table/access.ts";
import { datasetItem, datasetOf } from "../../../lib/aws/table/datasets/dataset-item.ts";
import { type Change, type Condition, expression, isAbsent } from "../../../lib/aws/table/expression.ts";
import { attemptOf, beginAttempt, noteAttempt } from "../../../lib/aws/table/items/attempt-item.ts";
import { bootFailureItem, bootFailureOf } from "../../../lib/aws/table/items/boot-failure-item.ts";
import { heartbeatChanges } from "../../../lib/aws/table/items/heartbeat-item.ts";
import { admitParts, artifactsPart, enqueue, leaveQueue, stateParts } from "../../../lib/aws/table/items/job-item.ts";
import { jobsOfLaunch, launchItem, launchOf } from "../../../lib/aws/table/items/launch-item.ts";
import { assignmentItem, nodeItem, nodeOf } from "../../../lib/aws/table/items/node-item.ts";
import { entryOf, queueItem } from "../../../lib/aws/table/items/queue-item.ts";
import { refusalItem, refusalOf, revisionOf } from "../../../lib/aws/table/items/refusal-item.ts";
import { amountOf, minus, plus, widerParts } from "../../../lib/aws/table/items/reserved-item.ts";
import { spentParts } from "../../../lib/aws/table/items/spent-item.ts";
import { wantsText } from "../../../lib/aws/table/items/stored-wants.ts";
import { aJob, aLaunch, aNode, anAssignment, anAttempt, anEntry, aRefusal, monday, someWants } from "../../fakes/builders.ts";
import { aDataset } from "../flows/dataset-builders.ts";

const booting = aNode({
  state: "launching",
  readyAtMs: undefined,
  lastSeenMs: undefined,
  launchedAtMs: monday,
  assignments: [anAssignment()],
});
const ref = { team: "vision", job: "train-1", attempt: 1 };
const artifacts = { files: 1, bytes: 2, leftOut: 3, missing: ["x"], lost: 4 };

/** Returns the parts of a transaction as they are sent to DynamoDB. */
function shown(form: unknown): unknown {
  if (Array.isArray(form)) return form.map(shown);
  if (typeof form !== "object" || form === null || !("kind" in form)) return form;
  const { changes = [], when = [], ...part } = form as { changes?: readonly Change[]; when?: readonly Condition[] };
  return { ...part, ...expression({ changes, when }) };
}

describe("the stored form of an item, which the next release must read", () => {
  test.each<[string, () => unknown]>([
    ["a waiting job", () => admitParts(aJob(), isAbsent("pk"))],
    ["a rejected job without a spec", () => admitParts(aJob({ state: "rejected", spec: undefined, reason: "no" }), isAbsent("pk"))],
    ["the artifacts of a job", () => artifactsPart(ref, artifacts, monday)],
    ["a job that leaves its queue", () => leaveQueue(aJob())],
    ["a job that waits again", () => enqueue(aJob(), { attempt: 2, reason: "lost" })],
    ["a waiting job that ends", () => stateParts(aJob(), { state: "cancelled", reason: "no" }, { atMs: monday, when: [] })],
    [
      "a running job that fails",
      () => stateParts(aJob({ state: "running" }), { state: "failed", reason: "exit code 3", exitCode: 3 }, { atMs: monday, when: [] }),
    ],
    [
      "a placed job that begins",
      () => stateParts(aJob({ state: "placed" }), { state: "running", startedAtMs: monday }, { atMs: monday, when: [] }),
    ],
    ["the cost of a team's node over two months", () => spentParts(aNode({ launchedAtMs: monday - 7_200_000 }), monday + 7_200_000)],
    ["the cost of a shared node", () => spentParts(aNode({ team: undefined, launchedAtMs: monday }), monday + 3_600_000)],
    ["an attempt", () => beginAttempt(ref, anAttempt())],
    ["the end of an attempt", () => noteAttempt(ref, { endedAtMs: monday, end: "interrupted", reason: "lost", exitCode: undefined })],
    ["a queue entry", () => queueItem("gpu", anEntry())],
    [
      "a node",
      () => nodeItem({ ...booting, assignments: [anAssignment({ rank: 1 })], replaces: { nodes: ["i-9"], because: "cheaper" } as never }),
    ],
    [
      "a heartbeat",
      () =>
        expression({
          changes: heartbeatChanges({
            call: 7,
            lastSeenMs: monday,
            address: "10.0.0.7",
            gpus: [{ index: 0, model: "A10G", utilizationPercent: 97, throttled: ["sw_power_cap"] }, { index: 1 }],
            gpusAtMs: monday,
            gpusBusyAtMs: undefined,
          }),
        }),
    ],
    ["an assignment", () => assignmentItem(anAssignment({ phase: "running", process: "p1", startedAtMs: monday } as never))],
    ["a launch", () => launchItem(aLaunch())],
    ["a refusal of an offer", () => refusalItem(aRefusal(), 3)],
    ["a boot failure", () => bootFailureItem("gpu", { node: "i-1", instanceType: "g5.xlarge", zone: "us-east-1a", atMs: monday })],
    ["a dataset", () => datasetItem(aDataset())],
    [
      "wants of everything",
      () =>
        wantsText(someWants({ zones: ["a"], nodes: 2, gpu: { memoryGiB: 1, models: ["A10G"] }, datasets: [{ name: "d", share: "part" }] })),
    ],
    ["wants of nothing special", () => wantsText(someWants())],
    [
      "a reservation beyond the pool, of a team",
      () => widerParts({ team: "vision", amount: amountOf({ usdPerHour: 0.1234567, gpus: 2 }) }),
    ],
    ["a reservation beyond the pool, of no team", () => widerParts({ team: undefined, amount: amountOf({ usdPerHour: 1, gpus: 0 }) })],
  ])("the stored form is as before: %s", (_what, form) => {
    expect(shown(form())).toMatchSnapshot();
  });

  test("what is stored is read again as it was", () => {
    const launch = aLaunch();
    expect(launchOf(launchItem(launch))).toEqual(launch);
    expect(jobsOfLaunch(launchItem(launch))).toEqual({ jobs: launch.jobs });
    expect(entryOf(queueItem("gpu", anEntry()))).toEqual(anEntry());
    expect(nodeOf({ item: nodeItem(booting) })).toEqual(booting);
    expect([refusalOf(refusalItem(aRefusal(), 3)), revisionOf(refusalItem(aRefusal(), 3))]).toEqual([aRefusal(), 3]);
    const failure = { node: "i-1", instanceType: "g5.xlarge", zone: "us-east-1a", atMs: monday };
    expect(bootFailureOf(bootFailureItem("gpu", failure))).toEqual(failure);
    expect(datasetOf(datasetItem(aDataset()))).toEqual(aDataset());
    const part = beginAttempt(ref, anAttempt());
    expect("item" in part && attemptOf(part.item as never)).toEqual(anAttempt());
  });

  test("amounts are counted in millionths of a dollar", () => {
    const [one, two] = [amountOf({ usdPerHour: 0.526, gpus: 1 }), amountOf({ usdPerHour: 0.1, gpus: 2 })];
    expect([one, plus(one, two), minus(one, two)]).toEqual([
      { microUsd: 526_000, gpus: 1 },
      { microUsd: 626_000, gpus: 3 },
      { microUsd: 426_000, gpus: -1 },
    ]);
  });
});

const awsError = (name: string, more: object = {}): Error => Object.assign(new Error(name), { name, $metadata: {}, ...more });

describe("a call to DynamoDB", () => {
  const failing = (...errors: readonly Error[]) => {
    let sent = 0;
    const send = async () => {
      const error = errors[sent];
      sent += 1;
      if (error) throw error;
      return sent;
    };
    return { send, sent: () => sent };
  };

  test("a condition of a single write that does not hold is that of its only part", async () => {
    const error = awsError("ConditionalCheckFailedException");
    await expect(call(failing(error).send)).rejects.toMatchObject({ name: "ConditionsFailed", at: [0], cause: error });
  });

  test("conditions of a transaction that do not hold are those of its parts", async () => {
    const CancellationReasons = [
      { Code: "None" },
      { Code: "ConditionalCheckFailed" },
      { Code: "None" },
      { Code: "ConditionalCheckFailed" },
    ];
    const failed = call(failing(awsError("TransactionCanceledException", { CancellationReasons })).send);
    await expect(failed).rejects.toEqual(expect.any(ConditionsFailed));
    await expect(failed).rejects.toMatchObject({ at: [1, 3], message: "conditions failed at 1, 3" });
  });

  test("a call that is throttled is repeated as often as it may be, and then fails with its number of tries", async () => {
    const busy = awsError("ThrottlingException");
    const passing = failing(busy, busy);
    expect([await call(passing.send), passing.sent()]).toEqual([3, 3]);
    const never = failing(busy, busy, busy);
    await expect(call(never.send, 2)).rejects.toMatchObject({
      code: "table-busy",
      retry: true,
      message: "the table was too busy for 2 tries: ThrottlingException",
      cause: busy,
    });
    expect(never.sent()).toBe(2);
  });

  test("at most a hundred items are read at once, each key once", async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, n) => ({ pk: "a", sk: String(n) }));
    let asked = 0;
    const client = {
      send: async (command: { input: { RequestItems: Record<string, { Keys: object[] }> } }) => {
        asked = command.input.RequestItems["t"]?.Keys.length ?? 0;
        return { Responses: { t: command.input.RequestItems["t"]?.Keys ?? [] } };
      },
    };
    const access = { table: "t", client: client as never };
    expect(await getItems(access, [...keys(99), { pk: "b", sk: "0" }])).toHaveLength(100);
    expect(asked).toBe(100);
    expect(await getItems(access, [...keys(2), ...keys(2)])).toHaveLength(2);
    await expect(getItems(access, keys(101))).rejects.toThrow("101 items were requested at once, but only 100 are allowed");
    asked = 0;
    expect(await getItems(access, [])).toEqual([]);
    expect(asked).toBe(0);
  });
});
