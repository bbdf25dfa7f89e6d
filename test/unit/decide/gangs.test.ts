import { describe, expect, test } from "vitest";
import { whyRejected } from "../../../lib/decide/admission/admit.ts";
import { decide } from "../../../lib/decide/decide.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { Snapshot, Step } from "../../../lib/model/plan.ts";
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
  aSpec,
  aType,
  monday,
} from "../../fakes/builders.ts";

const four = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const fourSpot = anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.8 });
const now = monday + 70_000;
const gang = anEntry({ job: "gang", nodes: 3 });

const planned = (over: Partial<Snapshot> = {}): readonly Step[] =>
  decide(
    aSnapshot({ nowMs: now, queue: [gang], catalogue: aCatalogue({ types: [aType(), four], offers: [anOffer(), fourSpot] }), ...over }),
  ).steps;
const nodes = (ids: string, over: Partial<Node> = {}): Node[] => [...ids].map((id) => aNode({ id, ...over }));
const boundTo = (steps: readonly Step[]): readonly string[] => steps.flatMap((step) => (step.kind === "bind-gang" ? step.nodes : []));
const launched = (steps: readonly Step[]) => steps.flatMap((step) => (step.kind === "launch" ? [step.launch] : []));

describe("a gang", () => {
  test("a gang goes to nodes of one type in one zone, ranked by their ids", () => {
    expect(planned({ nodes: nodes("cab") })).toEqual([
      { kind: "bind-gang", entry: gang, nodes: ["a", "b", "c"], because: "3 g5.xlarge in us-east-1a have room" },
    ]);
  });

  test("a gang goes to the nodes with the fewest vCPUs if it fits on groups with as many GPUs", () => {
    const large = aType({ name: "g5.2xlarge", resources: { vcpus: 8, memoryGiB: 32, gpus: 1 } });
    const there = [...nodes("abc", { type: large, offer: anOffer({ instanceType: "g5.2xlarge" }) }), ...nodes("xyz")];
    expect(boundTo(planned({ nodes: there }))).toEqual(["x", "y", "z"]);
    const roomy = aType({ name: "g5.a", resources: { vcpus: 4, memoryGiB: 64, gpus: 1 } });
    const same = [...nodes("abc", { type: roomy, offer: anOffer({ instanceType: "g5.a" }) }), ...nodes("xyz")];
    expect(boundTo(planned({ nodes: same }))).toEqual(["x", "y", "z"]);
  });

  test("a gang is placed on nodes that still boot", () => {
    expect(boundTo(planned({ nodes: nodes("abc", { state: "launching" }) }))).toEqual(["a", "b", "c"]);
  });

  test.each<[string, Node[]]>([
    ["in two zones", [...nodes("ab"), ...nodes("c", { offer: anOffer({ zone: "us-east-1b" }) })]],
    ["of two types", [...nodes("ab"), ...nodes("c", { type: four, offer: fourSpot })]],
    ["of two teams", [...nodes("ab"), ...nodes("c", { team: "audio" })]],
    ["of which one is full", [...nodes("ab"), ...nodes("c", { assignments: [anAssignment({ phase: "running" })] })]],
    ["of which one is silent", [...nodes("ab"), ...nodes("c", { lastSeenMs: now - 100_000 })]],
    ["of which one drains", [...nodes("ab"), ...nodes("c", { state: "draining", assignments: [anAssignment({ phase: "running" })] })]],
  ])("a gang gets all its nodes launched rather than using existing ones %s", (_what, there) => {
    const steps = planned({ nodes: there, pool: aPool({ limits: { usdPerHour: 20, gpus: 20 } }) });
    expect(boundTo(steps)).toEqual([]);
    expect(launched(steps)).toMatchObject([{ count: 3, jobs: [{ job: "gang" }] }]);
  });

  test("a gang takes the smaller of two types, and the oldest nodes of it", () => {
    const there = [...nodes("xyz", { type: four, offer: fourSpot }), ...nodes("d", { launchedAtMs: monday + 1 }), ...nodes("abc")];
    expect(boundTo(planned({ nodes: there }))).toEqual(["a", "b", "c"]);
  });

  test("a gang that refuses spot goes to no spot nodes", () => {
    const picky = { ...gang, spot: false };
    expect(boundTo(planned({ queue: [picky], nodes: nodes("abc") }))).toEqual([]);
    expect(boundTo(planned({ queue: [picky], nodes: nodes("abc", { offer: anOffer({ market: "on-demand" }) }) }))).toHaveLength(3);
  });

  test("a gang waits while its nodes are being launched", () => {
    const open = aLaunch({ count: 3, jobs: [{ team: "vision", job: "gang" }], intendedAtMs: now });
    expect(planned({ openLaunches: [open] })).toEqual([]);
  });

  test("a gang reserves the price of its most expensive offer per node, and shares its launch with no other job", () => {
    const offers = [anOffer(), anOffer({ zone: "us-east-1b", usdPerHour: 0.7 })];
    const queue = [gang, anEntry({ job: "single", needs: { vcpus: 0.1, memoryGiB: 0.1, gpus: 0 } })];
    const steps = launched(planned({ queue, catalogue: aCatalogue({ offers }) }));
    expect(steps).toMatchObject([
      { count: 3, reserved: { usdPerHour: 2.1, gpus: 3 }, jobs: [{ job: "gang" }] },
      { count: 1, jobs: [{ job: "single" }] },
    ]);
  });

  test("a gang takes room before jobs with a later turn", () => {
    const queue = [gang, anEntry({ job: "later", submittedAtMs: now })];
    const steps = planned({ queue, nodes: nodes("abc") });
    expect(boundTo(steps)).toHaveLength(3);
    expect(launched(steps)).toMatchObject([{ count: 1, jobs: [{ job: "later" }] }]);
  });

  test("a gang loses a node to an earlier job only if that job has no other place", () => {
    const single = anEntry({ job: "first", priority: 1 });
    const other = nodes("z", { offer: anOffer({ zone: "us-east-1b" }), launchedAtMs: monday + 1 });
    const steps = planned({ queue: [single, gang], nodes: [...nodes("abc"), ...other] });
    expect(steps).toMatchObject([
      { kind: "bind", node: "z" },
      { kind: "bind-gang", nodes: ["a", "b", "c"] },
    ]);
    expect(planned({ queue: [single, gang], nodes: nodes("abc") })[0]).toMatchObject({ kind: "bind", node: "a" });
  });

  test("a gang waits with that reason until no node holds its last attempt", () => {
    const left = aNode({ id: "x", assignments: [anAssignment({ job: "gang", rank: 2, phase: "running" })] });
    const queue = [{ ...gang, attempt: 2 }];
    const steps = planned({ queue, nodes: [...nodes("abc"), left] });
    expect(steps).toMatchObject([{ kind: "hold", because: "nodes still hold its last attempt; the job starts when all have stopped it" }]);
    expect(boundTo(planned({ queue, nodes: nodes("abc") }))).toHaveLength(3);
  });

  test("nothing is launched for a gang for which a launch was made that cannot be read", () => {
    const launch = { kind: "launch", key: "L#gpu l1", why: "market: futures" } as const;
    const because = "the record L#gpu l1 cannot be read";
    expect(planned({ queue: [gang], unreadable: [{ ...launch, jobs: [gang] }] })).toEqual([{ kind: "hold", entry: gang, because }]);
    expect(planned({ queue: [gang], unreadable: [launch] })).not.toEqual([]);
  });

  test("a gang's next attempt waits while a node cannot be read, because that node may hold the last one", () => {
    const because = "nodes still hold its last attempt; the job starts when all have stopped it";
    const unreadable = [{ kind: "node", key: "N#gpu x", why: "state: hibernating" }] as const;
    expect(planned({ queue: [{ ...gang, attempt: 2 }], nodes: nodes("abc"), unreadable })).toMatchObject([{ kind: "hold", because }]);
    expect(boundTo(planned({ queue: [gang], nodes: nodes("abc"), unreadable }))).toHaveLength(3);
    expect(
      boundTo(planned({ queue: [{ ...gang, attempt: 2 }], nodes: nodes("abc"), unreadable: [{ ...unreadable[0], kind: "refusal" }] })),
    ).toHaveLength(3);
  });
});

describe("a gang and its pool's limits", () => {
  const small = aPool({ limits: { usdPerHour: 10, gpus: 2 } });
  const poor = aPool({ limits: { usdPerHour: 1.4, gpus: 8 } });
  const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer(), fourSpot] });

  test.each([
    ["GPUs", small, "the gang needs 3 GPUs on 3 nodes and pool gpu is limited to 2"],
    [
      "dollars",
      poor,
      "no 3 nodes that fit are within the limits of pool gpu: of the cheapest, g5.xlarge, they have 3 GPUs and cost $1.50/h; the pool is limited to 8 GPUs and $1.40/h",
    ],
  ])("a new gang beyond the limit of %s is rejected, but one that already waits is only held", (_what, pool, because) => {
    expect(whyRejected(aSpec({ nodes: 3 }), pool, catalogue)).toBe(because);
    expect(whyRejected(aSpec({ nodes: 2 }), pool, catalogue)).toBeUndefined();
    expect(planned({ pool, catalogue })).toEqual([{ kind: "hold", entry: gang, because }]);
  });

  test("a gang is held while other jobs take the room that it needs", () => {
    const steps = planned({ reserved: { usdPerHour: 1, gpus: 6 } });
    expect(steps).toMatchObject([{ kind: "hold", because: expect.stringContaining(" reserved; it starts when ") }]);
    expect(launched(planned({ reserved: { usdPerHour: 1, gpus: 5 } }))).toHaveLength(1);
  });

  test("a gang waits until the budget pays for an hour of all its nodes together", () => {
    const budgets = { usdPerDay: 1.4 };
    expect(whyRejected(aSpec({ nodes: 3 }), aPool({ budgets }), catalogue)).toBe(
      "an hour of 3 of the cheapest node that fits, g5.xlarge, costs $1.50 and the budget of pool gpu is $1.40 a day",
    );
    const spent = { dayUsd: 9, monthUsd: 9 };
    expect(launched(planned({ pool: aPool({ budgets: { usdPerDay: 10.5 } }), spent }))).toHaveLength(1);
    expect(planned({ pool: aPool({ budgets: { usdPerDay: 10.4 } }), spent })).toMatchObject([{ kind: "hold" }]);
  });
});

describe("a refusal of several nodes", () => {
  const refused = aRefusal({ untilMs: now + 60_000, least: 3 });
  const catalogue = aCatalogue();

  test("a refusal of several nodes holds gangs of as many nodes or more, but no smaller one", () => {
    const counts = [1, 2, 3, 4].map((count) => anEntry({ job: `of-${count}`, nodes: count }));
    const pool = aPool({ limits: { usdPerHour: 100, gpus: 100 } });
    const steps = planned({ queue: counts, catalogue, pool, refusals: [refused] });
    expect(launched(steps).map(({ count }) => count)).toEqual([1, 2]);
    expect(steps.flatMap((step) => (step.kind === "hold" ? [step.entry.job] : []))).toEqual(["of-3", "of-4"]);
  });
});
