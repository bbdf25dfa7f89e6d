import { describe, expect, test } from "vitest";
import { firstFit } from "../../../lib/decide/placement/first-fit.ts";
import type { Snapshot, Step } from "../../../lib/model/plan.ts";
import type { Refusal } from "../../../lib/model/refusal.ts";
import { aCatalogue, aLaunch, aNode, anAssignment, anEntry, anOffer, aPool, aRefusal, aType, monday } from "../../fakes/builders.ts";

const four = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const fourSpot = anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.8 });
const now = monday + 60_000;
type OfferRefused = Extract<Refusal, { why: "capacity" }>;

const aSnapshot = (over: Partial<Snapshot> = {}): Snapshot => ({
  nowMs: now,
  pool: aPool(),
  reserved: { usdPerHour: 0, gpus: 0 },
  spent: { dayUsd: 0, monthUsd: 0 },
  queue: [anEntry()],
  nodes: [],
  openLaunches: [],
  catalogue: aCatalogue(),
  refusals: [],
  ...over,
});
const placed = (over: Partial<Snapshot>) => firstFit(aSnapshot(over), over.nodes ?? []);
const inWords = (step: Step): string => {
  switch (step.kind) {
    case "bind":
      return `bind ${step.entry.job} to ${step.node}`;
    case "bind-gang":
      return `bind ${step.entry.job} to ${step.nodes.join("+")}`;
    case "launch":
      return `launch ${step.launch.count > 1 ? `${step.launch.count} ` : ""}${step.launch.offers[0]?.instanceType} ${step.launch.market} for ${step.launch.jobs.map(({ job }) => job).join("+")}`;
    case "fail":
      return `fail ${step.attempt.job}`;
    case "move":
      return `move ${step.entry.job} to ${step.to}`;
    case "hold":
      return `hold ${step.entry.job}`;
    case "heal":
      return `heal ${step.nodes.join()}`;
    case "retire":
    case "drain":
    case "end":
    case "lose":
    case "confirm":
      return `${step.kind} ${step.node}`;
  }
};
const steps = (over: Partial<Snapshot>): string[] => placed(over).steps.map(inWords);

describe("a job", () => {
  test("goes to a node with room", () => {
    expect(steps({ nodes: [aNode({ id: "n" })] })).toEqual(["bind train-1 to n"]);
  });

  test("goes to the oldest node with room, so that the youngest falls idle", () => {
    const nodes = [aNode({ id: "young", launchedAtMs: monday + 1 }), aNode({ id: "old" })];
    expect(steps({ nodes })).toEqual(["bind train-1 to old"]);
    expect(steps({ nodes: nodes.toReversed() })).toEqual(["bind train-1 to old"]);
  });

  test("goes to no other team's node", () => {
    expect(steps({ nodes: [aNode({ team: "audio" })] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("goes to anybody's node in a shared pool", () => {
    expect(steps({ pool: aPool({ shared: true }), nodes: [aNode({ id: "n", team: undefined })] })).toEqual(["bind train-1 to n"]);
  });

  test("takes the place of one that only uploads", () => {
    const uploading = aNode({ id: "n", assignments: [anAssignment({ job: "before", phase: "uploading" })] });
    expect(steps({ nodes: [uploading] })).toEqual(["bind train-1 to n"]);
  });

  test("gets a node of its own when none has room", () => {
    const full = aNode({ assignments: [anAssignment({ job: "before", phase: "running" })] });
    expect(steps({ nodes: [full] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("waits for the node that is being launched for it", () => {
    expect(steps({ openLaunches: [aLaunch()] })).toEqual([]);
  });

  test("that can never run fails, with the reason", () => {
    const nine = anEntry({ needs: { vcpus: 2, memoryGiB: 8, gpus: 9 } });
    expect(placed({ queue: [nine] }).steps).toEqual([
      { kind: "fail", attempt: nine, because: "no instance type of pool gpu has 9 GPUs; the largest, g5.xlarge, has 1" },
    ]);
  });

  test("waits for prices, and is told so once", () => {
    const [step] = placed({ catalogue: undefined }).steps;
    expect(step).toMatchObject({ kind: "hold", because: "prices are being fetched; this takes up to a minute" });
    expect(steps({ catalogue: undefined, queue: [anEntry({ reason: step?.because })] })).toEqual([]);
  });

  test("of higher priority takes the room of one that waits longer", () => {
    const queue = [anEntry({ job: "patient" }), anEntry({ job: "urgent", priority: 9, submittedAtMs: now })];
    expect(steps({ queue, nodes: [aNode({ id: "n" })] })).toEqual(["bind urgent to n", "launch g5.xlarge spot for patient"]);
  });

  test("that is small goes past a large one that does not fit", () => {
    const large = anEntry({ job: "large", needs: { vcpus: 8, memoryGiB: 32, gpus: 4 } });
    const queue = [large, anEntry({ job: "small", submittedAtMs: now })];
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer(), fourSpot] });
    expect(steps({ queue, catalogue, nodes: [aNode({ id: "n" })] })).toEqual(["bind small to n", "launch g5.12xlarge spot for large"]);
  });
});

test("a job whose zones sell nothing waits with the reason, and holds back no job that accepts any zone", () => {
  const queue = [anEntry({ job: "a", zones: ["us-east-1z"] }), anEntry({ job: "b" })];
  expect(steps({ queue })).toEqual(["launch g5.xlarge spot for b", "hold a"]);
  const [, held] = placed({ queue }).steps;
  expect(held?.because).toBe('pool gpu buys what fits in us-east-1a only; change "zones" or name another pool');
});

test("a job goes to no node outside its zones", () => {
  const nodes = [aNode({ id: "i-a" }), aNode({ id: "i-b", offer: anOffer({ zone: "us-east-1b" }) })];
  expect(steps({ nodes, queue: [anEntry({ zones: ["us-east-1b"] })] })).toEqual(["bind train-1 to i-b"]);
});

describe("jobs on one new node", () => {
  const queue = ["a", "b", "c", "d"].map((job) => anEntry({ job }));

  test("share it where that costs less than a node for each", () => {
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer({ usdPerHour: 1 }), fourSpot] });
    expect(steps({ queue, catalogue })).toEqual(["launch g5.12xlarge spot for a+b+c+d"]);
  });

  test("do not where it costs more", () => {
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer({ usdPerHour: 0.4 }), fourSpot] });
    expect(steps({ queue, catalogue })).toEqual(["launch 4 g5.xlarge spot for a+b+c+d"]);
  });

  test("are of one team, unless the pool is shared", () => {
    const mixed = [anEntry({ job: "a" }), anEntry({ team: "audio", job: "b" })];
    const catalogue = aCatalogue({ types: [four], offers: [fourSpot] });
    expect(steps({ queue: mixed, catalogue })).toEqual(["launch g5.12xlarge spot for b", "launch g5.12xlarge spot for a"]);
    expect(placed({ queue: mixed, catalogue, pool: aPool({ shared: true }) }).steps).toMatchObject([
      { kind: "launch", launch: { team: undefined, jobs: [{ job: "b" }, { job: "a" }] } },
    ]);
  });

  test("are together on all its offers", () => {
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer({ usdPerHour: 1.5 }), fourSpot] });
    expect(placed({ queue: queue.slice(0, 2), catalogue }).steps).toMatchObject([{ launch: { offers: [fourSpot], types: [four] } }]);
  });
});

describe("a pool at its limit", () => {
  const told =
    "the job needs $0.50/h more, and pool gpu has more than $9.50/h of its $10/h reserved; it starts when other work ends or the limit is raised";

  test("holds what would exceed it, and says so", () => {
    expect(placed({ reserved: { usdPerHour: 9.6, gpus: 1 } }).steps).toEqual([{ kind: "hold", entry: anEntry(), because: told }]);
    expect(steps({ reserved: { usdPerHour: 1, gpus: 8 } })).toEqual(["hold train-1"]);
  });

  test("does not say it twice", () => {
    expect(steps({ reserved: { usdPerHour: 9.6, gpus: 1 }, queue: [anEntry({ reason: told })] })).toEqual([]);
  });

  test("launches what is left of it, no more", () => {
    const queue = ["a", "b", "c"].map((job) => anEntry({ job }));
    expect(steps({ queue, reserved: { usdPerHour: 0, gpus: 6 } })).toEqual(["launch 2 g5.xlarge spot for a+b", "hold c"]);
  });

  test("tells who waits only after it has launched: telling a thousand takes its time", () => {
    const queue = [anEntry({ job: "large", needs: { vcpus: 2, memoryGiB: 8, gpus: 4 } }), anEntry({ job: "small", submittedAtMs: now })];
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer(), fourSpot] });
    expect(steps({ queue, catalogue, reserved: { usdPerHour: 0, gpus: 6 } })).toEqual(["launch g5.xlarge spot for small", "hold large"]);
  });

  test("spends the last dollar it has, though dollars are not exact in binary", () => {
    const pool = aPool({ limits: { usdPerHour: 0.3, gpus: 8 } });
    const catalogue = aCatalogue({ offers: [anOffer({ usdPerHour: 0.1 })] });
    expect(steps({ pool, catalogue, queue: ["a", "b", "c"].map((job) => anEntry({ job })) })).toEqual([
      "launch 3 g5.xlarge spot for a+b+c",
    ]);
  });
});

describe("an offer that was refused", () => {
  const until = now + 60_000;
  const onDemand = anOffer({ market: "on-demand", usdPerHour: 1 });

  test("is not asked for again until then; the job goes on demand", () => {
    const catalogue = aCatalogue({ offers: [anOffer(), onDemand] });
    expect(steps({ catalogue, refusals: [aRefusal({ untilMs: until })] })).toEqual(["launch g5.xlarge on-demand for train-1"]);
    expect(steps({ catalogue, refusals: [aRefusal({ untilMs: now })] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("and is cheaper than what is asked for, is named in its reason", () => {
    const zones = ["us-east-1a", "us-east-1b"];
    const catalogue = aCatalogue({ offers: [...zones.map((zone) => anOffer({ zone })), onDemand] });
    const refusals = zones.map((zone) => aRefusal({ zone, untilMs: until }));
    expect(placed({ catalogue, refusals }).steps).toMatchObject([
      {
        because: expect.stringMatching(/; cheaper, but recently refused: g5\.xlarge spot in us-east-1a, us-east-1b$/),
        launch: { offers: [onDemand] },
      },
    ]);
    expect(placed({ catalogue, refusals: [] }).steps).toMatchObject([{ because: expect.not.stringContaining("recently refused") }]);
  });

  test("makes a job wait that takes nothing else, until it may be asked for again", () => {
    const { steps: planned, wakeAtMs } = placed({ refusals: [aRefusal({ untilMs: until })] });
    expect(planned).toMatchObject([
      {
        kind: "hold",
        because: "EC2 has no capacity for any instance type that fits (InsufficientInstanceCapacity); the next request follows within minutes",
      },
    ]);
    expect(wakeAtMs).toBe(until);
  });

  test("and has rested is tried by one launch of a plan; what the others could ask for beside it they do", () => {
    const teams = ["audio", "text", "vision"].map((team) => anEntry({ team }));
    const rested = [aRefusal({ untilMs: now })];
    const alone = placed({ queue: teams, refusals: rested });
    expect(alone.steps.map(inWords)).toEqual(["launch g5.xlarge spot for train-1"]);
    expect(alone.steps).toMatchObject([{ launch: { team: "audio" } }]);
    expect(alone.wakeAtMs).toBe(now);
    const other = anOffer({ zone: "us-east-1b", usdPerHour: 0.6 });
    const beside = placed({ queue: teams, refusals: rested, catalogue: aCatalogue({ offers: [anOffer(), other] }) });
    expect(beside.steps).toMatchObject([
      { launch: { team: "audio", offers: [anOffer(), other], reserved: { usdPerHour: 0.6 } } },
      { launch: { team: "text", offers: [other], reserved: { usdPerHour: 0.6 } } },
      { launch: { team: "vision", offers: [other] } },
    ]);
  });

  test("for a quota stands against all that it counts, and says what an admin can do", () => {
    const quota = { why: "limit", market: "spot", quota: "All G and VT Spot Instance Requests" } as const;
    const {
      instanceType: _type,
      zone: _zone,
      ...known
    } = aRefusal({ code: "MaxSpotInstanceCountExceeded", untilMs: until, least: 4 }) as OfferRefused;
    const refusals: Refusal[] = [{ ...known, ...quota }];
    const larger = anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.8 });
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer(), larger] });
    expect(placed({ catalogue, refusals }).steps).toMatchObject([
      {
        kind: "hold",
        because:
          "the account's quota of vCPUs is used up: All G and VT Spot Instance Requests (MaxSpotInstanceCountExceeded); an admin can request an increase in Service Quotas, and vCPUs become free as work ends; the next request follows within half an hour",
      },
    ]);
    const both = aCatalogue({ types: [aType(), four], offers: [anOffer(), larger, onDemand] });
    expect(steps({ catalogue: both, refusals })).toEqual(["launch g5.xlarge on-demand for train-1"]);
    const tiny = aType({ name: "g5.small", resources: { vcpus: 2, memoryGiB: 8, gpus: 1 } });
    const smaller = aCatalogue({ types: [aType(), tiny], offers: [anOffer(), anOffer({ instanceType: "g5.small" })] });
    expect(steps({ catalogue: smaller, refusals })).toEqual(["launch g5.small spot for train-1"]);
  });
});

describe("many jobs that need nodes", () => {
  const roomy = aPool({ limits: { usdPerHour: 1000, gpus: 1000 } });
  const alike = (jobs: number) => Array.from({ length: jobs }, (_, n) => anEntry({ job: `job-${n}`, submittedAtMs: monday + n }));

  test("that are alike are asked for together, forty nodes at a time", () => {
    const { steps: planned, wakeAtMs } = placed({ queue: alike(100), pool: roomy });
    expect(planned.map((step) => step.kind === "launch" && step.launch.count)).toEqual([40, 40, 20]);
    expect(planned).toMatchObject([{ launch: { whole: false, reserved: { usdPerHour: 20, gpus: 40 } } }, {}, {}]);
    expect(planned.flatMap((step) => (step.kind === "launch" ? step.launch.jobs : [])).map(({ job }) => job)).toEqual(
      alike(100).map(({ job }) => job),
    );
    expect(wakeAtMs).toBeUndefined();
  });

  test("are launched 400 nodes at a time, and the next decision at once launches the rest, which need not be told so", () => {
    const { steps: planned, wakeAtMs } = placed({ queue: alike(450), pool: roomy });
    expect(planned.map((step) => step.kind === "launch" && step.launch.count)).toEqual(Array.from({ length: 10 }, () => 40));
    expect(wakeAtMs).toBe(now);
  });

  test("of teams that share no nodes are at most forty launches, and the rest are the next decision's", () => {
    const queue = Array.from({ length: 45 }, (_, n) => anEntry({ team: `team-${n}`, submittedAtMs: monday + n }));
    const { steps: planned, wakeAtMs } = placed({ queue, pool: roomy });
    expect(planned.map((step) => step.kind === "launch" && step.launch.team)).toEqual(queue.slice(0, 40).map(({ team }) => team));
    expect(wakeAtMs).toBe(now);
  });

  test("do not delay a decision: those that are alike are looked at once", () => {
    const sizes = [1, 2, 3].map((n) => aType({ name: `g${n}`, resources: { vcpus: 4 * n, memoryGiB: 16 * n, gpus: n } }));
    const offers = sizes.flatMap((type, n) =>
      ["a", "b", "c", "d"].map((zone) => anOffer({ instanceType: type.name, zone, usdPerHour: n + 1 })),
    );
    let looks = 0;
    const queue = Array.from({ length: 4_000 }, (_, n) => {
      const needs = { vcpus: 3 + (n % 3), memoryGiB: 8, gpus: 1 };
      return Object.defineProperty(anEntry({ job: `job-${n}` }), "needs", {
        enumerable: true,
        get() {
          looks += 1;
          return needs;
        },
      });
    });
    const { steps: planned } = placed({ queue, pool: roomy, catalogue: aCatalogue({ types: sizes, offers }) });
    expect(planned.reduce((sum, step) => sum + (step.kind === "launch" ? step.launch.count : 0), 0)).toBe(400);
    // If each of the 400 bundles asked every job, these would be millions.
    expect(looks).toBeGreaterThanOrEqual(4_000);
    expect(looks).toBeLessThan(100_000);
  });
});

describe("a job that nothing can be bought for today", () => {
  const because = "EC2 sells no instance type that fits in the zones and markets of pool gpu; name another pool";

  test("waits, is told why, and that once", () => {
    expect(placed({ catalogue: aCatalogue({ offers: [] }) })).toMatchObject({
      steps: [{ kind: "hold", entry: anEntry(), because }],
      wakeAtMs: undefined,
    });
    expect(steps({ catalogue: aCatalogue({ offers: [] }), queue: [anEntry({ reason: because })] })).toEqual([]);
  });

  test("gets a node when it is sold again", () => {
    expect(steps({ queue: [anEntry({ reason: because })] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("takes a node that is there, whatever one would cost now", () => {
    const nodes = [aNode({ id: "n" })];
    expect(steps({ nodes, catalogue: aCatalogue({ offers: [] }) })).toEqual(["bind train-1 to n"]);
    expect(steps({ nodes, catalogue: aCatalogue({ offers: [anOffer({ usdPerHour: 50 })] }) })).toEqual(["bind train-1 to n"]);
  });

  test("keeps nobody else waiting", () => {
    const queue = [anEntry({ job: "picky", spot: false }), anEntry({ job: "other", submittedAtMs: now })];
    expect(placed({ queue }).steps).toMatchObject([
      { kind: "launch", launch: { jobs: [{ job: "other" }] } },
      { kind: "hold", entry: { job: "picky" }, because: 'pool gpu buys spot capacity only; set "spot": true or name another pool' },
    ]);
  });

  test("because its price is past the limit, is told the price and the limit", () => {
    const dear = aCatalogue({ offers: [anOffer({ usdPerHour: 10.5 })] });
    expect(placed({ catalogue: dear }).steps).toMatchObject([
      { kind: "hold", because: "the cheapest node that fits, g5.xlarge, costs $10.50/h and pool gpu is limited to $10/h" },
    ]);
  });

  test("because the limits were lowered, waits until they are raised", () => {
    const lowered = aPool({ limits: { usdPerHour: 10, gpus: 0 } });
    expect(placed({ pool: lowered }).steps).toMatchObject([{ kind: "hold", because: "the job needs 1 GPU and pool gpu is limited to 0" }]);
  });
});

describe("thousands that wait", () => {
  const queue = Array.from({ length: 1_200 }, (_, n) => anEntry({ job: `job-${n}`, submittedAtMs: monday + n }));

  test.each<[string, Partial<Snapshot>]>([
    ["for room within the limits", { reserved: { usdPerHour: 0, gpus: 8 } }],
    ["for an offer", { catalogue: aCatalogue({ offers: [] }) }],
    ["for prices", { catalogue: undefined }],
  ])("%s are told so 500 at a time, whose turn it is first, until all know", (_what, over) => {
    const told: string[] = [];
    let waiting = queue;
    for (const most of [500, 500, 200, 0]) {
      const holds = placed({ ...over, queue: waiting.toReversed() }).steps.filter((step) => step.kind === "hold");
      expect(holds).toHaveLength(most);
      const reasons = new Map(holds.map((step) => [step.entry.job, step.because]));
      told.push(...reasons.keys());
      waiting = waiting.map((entry) => ({ ...entry, reason: reasons.get(entry.job) ?? entry.reason }));
    }
    expect(told).toEqual(queue.map((entry) => entry.job));
  });

  test("come after the launches of the same plan", () => {
    const roomy = aPool({ limits: { usdPerHour: 10, gpus: 1 } });
    const planned = placed({ queue, pool: roomy }).steps.map((step) => step.kind);
    expect(planned.slice(0, 2)).toEqual(["launch", "hold"]);
    expect(planned).toHaveLength(501);
  });
});

describe("a node that could hold a thousand small jobs", () => {
  const small = { vcpus: 0.1, memoryGiB: 0.1, gpus: 0 };
  const large = aType({ resources: { vcpus: 200, memoryGiB: 800, gpus: 0 } });
  const named = (team: string, n: number, datasets: number) =>
    anEntry({
      team,
      job: `${n}`.padStart(100, "j"),
      needs: small,
      datasets: Array.from({ length: datasets }, (_, at) => ({ name: `${at}`.padStart(63, "d"), share: "whole" as const })),
    });
  const hundreds = (datasets: number) => Array.from({ length: 600 }, (_, n) => named("vision", n, datasets));

  test.each([
    [0, 200],
    [1, 100],
    [5, 100],
    [6, 66],
    [20, 40],
  ])("gets as many as its item in the table can name: with %i datasets each, %i", (datasets, most) => {
    const binds = placed({ queue: hundreds(datasets), nodes: [aNode({ type: large })] }).steps.filter((step) => step.kind === "bind");
    expect(binds).toHaveLength(most);
    const held = binds.map(({ entry: { team, job, attempt, needs, datasets: uses } }) =>
      anAssignment({ team, job, attempt, needs, datasets: uses, phase: "uploading", process: "p".repeat(64) }),
    );
    expect(JSON.stringify(held).length).toBeLessThan(150_000);
    expect(placed({ queue: hundreds(datasets), nodes: [aNode({ type: large, assignments: held })] }).bound).toEqual(new Set());
  });

  test("is launched for no more than that, and one that asks for less still has a place", () => {
    const catalogue = aCatalogue({ types: [large] });
    const [first] = placed({ queue: hundreds(20).slice(0, 80), catalogue }).steps;
    expect(first).toMatchObject({ kind: "launch", launch: { count: 2 } });
    const held = Array.from({ length: 39 }, (_, n) => ({ ...named("vision", n, 20), phase: "running" as const }));
    const queue = [...hundreds(20).slice(100, 102), named("vision", 500, 0)];
    const full = aNode({ type: large, assignments: [...held, { ...named("vision", 50, 0), phase: "running" as const }] });
    expect(placed({ queue, nodes: [full] }).steps.flatMap((step) => (step.kind === "bind" ? [step.entry.job] : []))).toEqual([
      named("vision", 500, 0).job,
    ]);
  });
});
