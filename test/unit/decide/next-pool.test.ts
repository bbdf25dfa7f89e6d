import { describe, expect, test } from "vitest";
import { refusalsOf } from "../../../lib/aws/ec2/fleet-refusals.ts";
import { quotaOf } from "../../../lib/decide/capacity/quotas.ts";
import { decide } from "../../../lib/decide/decide.ts";
import type { Snapshot, Step } from "../../../lib/model/plan.ts";
import type { Pool } from "../../../lib/model/pool.ts";
import type { Refusal } from "../../../lib/model/refusal.ts";
import {
  aCatalogue,
  aLaunch,
  aNode,
  anAssignment,
  anEntry,
  anOffer,
  aPool,
  aRefusal,
  aSnapshot,
  aType,
  monday,
} from "../../fakes/builders.ts";

const minute = 60_000;
const inZoneB = anOffer({ zone: "us-east-1b" });
const large = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const l4 = aType({ name: "g6.xlarge", gpu: { model: "L4", memoryGiB: 24 } });
const ofL4 = anOffer({ instanceType: "g6.xlarge", usdPerHour: 0.6 });
const catalogue = aCatalogue({ offers: [anOffer(), inZoneB] });
const catalogueOfB = aCatalogue({ types: [l4], offers: [ofL4] });
const poolB = (over: Partial<Pool> = {}) => aPool({ name: "b", families: ["g6"], ...over });
const refused = { untilMs: monday + 10 * minute, launch: "launch-0" };
/** The second zone ran dry a minute after the first. */
const dry: readonly Refusal[] = [
  aRefusal({ ...refused, sinceMs: monday }),
  aRefusal({ ...refused, zone: "us-east-1b", sinceMs: monday + minute }),
];
const dueMs = monday + 6 * minute;

const seen = (over: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({
    nowMs: dueMs,
    pool: aPool({ fallback: "b" }),
    queue: [anEntry()],
    catalogue,
    next: [{ pool: poolB(), catalogue: catalogueOfB }],
    refusals: dry,
    ...over,
  });
const only = (over: Partial<Snapshot> = {}): Step | undefined => decide(seen(over)).steps[0];
const why = (over: Partial<Snapshot> = {}): string | undefined => {
  const step = only(over);
  return step?.kind === "hold" ? step.because : `${step?.kind}`;
};

describe("a job that EC2 has no capacity for", () => {
  test("a job moves to the next pool with the reason when the last of its offers has been refused for long enough", () => {
    expect(decide(seen()).steps).toEqual([
      {
        kind: "move",
        entry: anEntry(),
        to: "b",
        because:
          "moved from pool gpu: EC2 has no capacity for any instance type that fits (InsufficientInstanceCapacity), and that has lasted for 300 s",
      },
    ]);
  });

  test("a job also moves if EC2 does not sell the type in the last zone", () => {
    const message = "Your requested instance type (g5.xlarge) is not supported in your requested Availability Zone (us-east-1b).";
    const of = { LaunchTemplateAndOverrides: { Overrides: { InstanceType: "g5.xlarge" as const, SubnetId: "b" } } };
    const error = { ErrorCode: "InvalidFleetConfiguration", ErrorMessage: message, ...of };
    const [refusal] = refusalsOf([error], aLaunch({ offers: [inZoneB] }), [{ zone: "us-east-1b", subnet: "b" }]);
    if (refusal?.why !== "capacity") throw new Error(`it is taken for ${refusal?.why}`);
    const { instanceType, zone, market, code } = refusal;
    const refusals = [...dry.slice(0, 1), aRefusal({ ...refused, instanceType, zone, market, code, sinceMs: monday })];
    expect(only({ refusals, nowMs: dueMs })).toMatchObject({ kind: "move", to: "b" });
  });

  test("a job waits until its move is due, its reason names the next pool, and the pool wakes at that moment", () => {
    const plan = decide(seen({ nowMs: dueMs - 1 }));
    expect(plan.wakeAtMs).toBe(dueMs);
    expect(why({ nowMs: dueMs - 1 })).toMatch(
      /the next request follows within minutes; when that has lasted for 300 s the job moves to pool b$/,
    );
  });

  test("a job waits for as long as its pool is configured before it moves", () => {
    const pool = aPool({ fallback: "b", fallbackSeconds: 0 });
    expect(only({ pool, nowMs: monday + minute })?.kind).toBe("move");
    expect(only({ pool: aPool({ fallback: "b", fallbackSeconds: 301 }) })?.kind).toBe("hold");
  });

  test("a job also moves if the account's quota is used up", () => {
    const quota: Refusal = {
      ...aRefusal(refused),
      why: "limit",
      region: "us-east-1",
      market: "spot",
      quota: quotaOf("g5.xlarge", "spot"),
      code: "MaxSpotInstanceCountExceeded",
    };
    const onDemand = { pool: poolB(), catalogue: aCatalogue({ types: [l4], offers: [anOffer({ ...ofL4, market: "on-demand" })] }) };
    const step = only({ refusals: [quota], next: [onDemand] });
    expect(step).toMatchObject({ kind: "move", to: "b", because: expect.stringContaining("quota of vCPUs is used up") });
    expect(why({ refusals: [quota] }), "the same quota holds there").toMatch(/EC2 has nothing that fits for pool b either$/);
  });

  test("a gang moves as one", () => {
    const gang = anEntry({ nodes: 2 });
    expect(only({ queue: [gang] })).toMatchObject({ kind: "move", entry: gang, to: "b" });
    const small = { pool: poolB({ limits: { usdPerHour: 10, gpus: 1 } }), catalogue: catalogueOfB };
    expect(why({ queue: [gang], next: [small] })).toMatch(
      /the job stays here: the gang needs 2 GPUs on 2 nodes and pool b is limited to 1$/,
    );
  });

  test("a job moves although an offer is left that is beyond the pool's limit", () => {
    const dear = anOffer({ instanceType: large.name, usdPerHour: 12 });
    expect(only({ catalogue: { ...catalogue, types: [aType(), large], offers: [...catalogue.offers, dear] } })?.kind).toBe("move");
  });

  test("a job skips a pool where it does not fit or EC2 has no capacity either, and moves to the one after it", () => {
    const dryThere = { pool: poolB(), catalogue };
    const behind = { pool: poolB({ name: "c" }), catalogue: catalogueOfB };
    expect(only({ next: [dryThere, behind] })).toMatchObject({ kind: "move", to: "c" });
    expect(only({ next: [{ pool: poolB(), catalogue: aCatalogue({ types: [], offers: [] }) }, behind] })).toMatchObject({ to: "c" });
  });
});

describe("a job that stays in its pool", () => {
  test.each<[string, Partial<Snapshot>, RegExp]>([
    ["it is paused", { next: [{ pool: poolB(), catalogue: catalogueOfB, paused: true }] }, /the job stays here: pool b is paused$/],
    ["its prices are not known", { next: [{ pool: poolB() }] }, /the job stays here: the prices of pool b are not known yet$/],
    [
      "it has no type that holds the job",
      { queue: [anEntry({ gpu: { memoryGiB: 0, models: ["A10G"] } })] },
      /no instance type of pool b has GPUs of model A10G/,
    ],
    [
      "it buys no such offer",
      {
        queue: [anEntry({ spot: false })],
        catalogue: aCatalogue({ offers: [anOffer({ market: "on-demand" })] }),
        refusals: [aRefusal({ ...refused, market: "on-demand" })],
      },
      /pool b buys spot capacity only/,
    ],
    [
      "its limit is too low",
      { next: [{ pool: poolB({ limits: { usdPerHour: 0.5, gpus: 8 } }), catalogue: catalogueOfB }] },
      /pool b is limited to \$0.50\/h$/,
    ],
    [
      "its budget is too low",
      { next: [{ pool: poolB({ budgets: { usdPerDay: 0.5 } }), catalogue: catalogueOfB }] },
      /the budget of pool b is \$0.50 a day$/,
    ],
    [
      "the deployment's limit is too low",
      {
        wider: { limits: { deployment: { usdPerHour: 0.55 }, teams: {} }, reserved: { deployment: { usdPerHour: 0, gpus: 0 }, teams: {} } },
      },
      /the whole deployment is limited to \$0.55\/h$/,
    ],
    [
      "the team may not use it",
      { next: [{ pool: poolB({ teams: ["speech"] }), catalogue: catalogueOfB }] },
      /team vision may not use pool b$/,
    ],
  ])("a job stays if the next pool cannot run it because %s", (_what, over, words) => {
    expect(why(over)).toMatch(words);
    expect(why(over)).toMatch(/^EC2 has no capacity for any instance type that fits/);
  });

  test("a job stays if one offer is not refused, or its rest is over", () => {
    expect(only({ refusals: dry.slice(1) })?.kind).toBe("launch");
    expect(only({ nowMs: monday + 11 * minute })?.kind).toBe("launch");
  });

  test("a job stays if a fault of the pool's own requests or a breaker is in the way of an offer", () => {
    const { instanceType, zone, market } = inZoneB;
    const known = { code: "InvalidParameterValue", least: 1, evidence: 1, atMs: monday, sinceMs: monday, ...refused };
    const fault: Refusal = { why: "fault", pool: "gpu", instanceType, zone, market, ...known };
    expect(only({ refusals: [...dry.slice(0, 1), fault] })?.kind).toBe("hold");
    const bootFailures = ["i-1", "i-2", "i-3"].map((node) => ({ node, instanceType: "g5.xlarge", zone: "us-east-1b", atMs: dueMs - 1000 }));
    expect(only({ refusals: dry.slice(0, 1), bootFailures })?.kind).toBe("hold");
  });

  test("a job stays if the limits leave nothing, because it waits for those", () => {
    expect(why({ reserved: { usdPerHour: 9.8, gpus: 1 } })).not.toMatch(/moves|stays/);
    expect(why({ pool: aPool({ fallback: "b", budgets: { usdPerDay: 5 } }), spent: { dayUsd: 5, monthUsd: 5 } })).toMatch(/budget/);
  });

  test("a job stays if there is no pool to move to", () => {
    expect(why({ next: undefined })).toMatch(/the next request follows within minutes$/);
  });

  test("a job stays if a node has room, one is being launched for it, or nodes still hold its last attempt", () => {
    expect(only({ nodes: [aNode({ lastSeenMs: dueMs })] })?.kind).toBe("bind");
    expect(only({ openLaunches: [aLaunch({ intendedAtMs: dueMs })] })).toBeUndefined();
    const gang = anEntry({ nodes: 2, attempt: 2 });
    const held = aNode({ lastSeenMs: dueMs, assignments: [anAssignment({ rank: 0 })] });
    expect(why({ queue: [gang], nodes: [held] })).toMatch(/nodes still hold its last attempt/);
  });
});

test("a decision moves at most a hundred jobs, in their turn, and the next one follows at once", () => {
  const queue = Array.from({ length: 250 }, (_, n) => anEntry({ job: `job-${String(n).padStart(3, "0")}`, priority: n }));
  const plan = decide(seen({ queue }));
  expect(plan.steps.map(({ kind }) => kind)).toEqual(Array.from({ length: 100 }, () => "move"));
  expect(plan.steps[0]).toMatchObject({ entry: { job: "job-249" } });
  expect(plan.wakeAtMs).toBe(dueMs);
});
