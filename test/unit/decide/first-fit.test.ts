import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { decide } from "../../../lib/decide/decide.ts";
import { firstFit } from "../../../lib/decide/placement/first-fit.ts";
import type { Snapshot, Step } from "../../../lib/model/plan.ts";
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

const four = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const fourSpot = anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.8 });
const now = monday + 60_000;
type OfferRefused = Extract<Refusal, { why: "capacity" }>;

const seen = (over: Partial<Snapshot> = {}): Snapshot => aSnapshot({ nowMs: now, queue: [anEntry()], ...over });
const placed = (over: Partial<Snapshot>) => firstFit(seen(over), over.nodes ?? [], budgetRoom(seen(over)));
const inWords = (step: Step): string => {
  switch (step.kind) {
    case "bind":
      return `bind ${step.entry.job} to ${step.node}`;
    case "rebind":
      return `move ${step.attempt.job} from ${step.from} to ${step.node}`;
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
    case "undrain":
    case "unbind":
    case "end":
    case "lose":
    case "confirm":
      return `${step.kind} ${step.node}`;
  }
};
const steps = (over: Partial<Snapshot>): string[] => placed(over).steps.map(inWords);

describe("the place of a job", () => {
  test("a job goes to a node with room", () => {
    expect(steps({ nodes: [aNode({ id: "n" })] })).toEqual(["bind train-1 to n"]);
  });

  test("a job goes to the oldest node with room, so that the youngest becomes idle", () => {
    const nodes = [aNode({ id: "young", launchedAtMs: monday + 1 }), aNode({ id: "old" })];
    expect(steps({ nodes })).toEqual(["bind train-1 to old"]);
    expect(steps({ nodes: nodes.toReversed() })).toEqual(["bind train-1 to old"]);
  });

  test("a job does not go to another team's node", () => {
    expect(steps({ nodes: [aNode({ team: "audio" })] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("a job goes to any team's node in a shared pool", () => {
    expect(steps({ pool: aPool({ shared: true }), nodes: [aNode({ id: "n", team: undefined })] })).toEqual(["bind train-1 to n"]);
  });

  test("a job takes the place of one that only uploads", () => {
    const uploading = aNode({ id: "n", assignments: [anAssignment({ job: "before", phase: "uploading" })] });
    expect(steps({ nodes: [uploading] })).toEqual(["bind train-1 to n"]);
  });

  test("a job gets a node of its own if no node has room", () => {
    const full = aNode({ assignments: [anAssignment({ job: "before", phase: "running" })] });
    expect(steps({ nodes: [full] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("a job waits for the node that is being launched for it", () => {
    expect(steps({ openLaunches: [aLaunch()] })).toEqual([]);
  });

  test("a job says so once it has waited for a minute for EC2's word on its launch", () => {
    const openLaunches = [aLaunch({ intendedAtMs: now - 60_001 })];
    const [step] = placed({ openLaunches }).steps;
    const because =
      "waits for EC2's word on g5.xlarge requested at 2026-05-31 23:59 UTC: it is not known whether they were launched, and EC2 is asked again";
    expect(step).toEqual({ kind: "hold", entry: anEntry(), because });
    expect(steps({ openLaunches, queue: [anEntry({ reason: because })] })).toEqual([]);
  });

  test("a job that can never run fails with the reason", () => {
    const nine = anEntry({ needs: { vcpus: 2, memoryGiB: 8, gpus: 9 } });
    expect(placed({ queue: [nine] }).steps).toEqual([
      {
        kind: "fail",
        attempt: nine,
        failure: "never-fits",
        because: "no instance type of pool gpu has 9 GPUs; the largest, g5.xlarge, has 1",
      },
    ]);
  });

  test("a job waits for prices, and is held with that reason once", () => {
    const [step] = placed({ catalogue: undefined }).steps;
    expect(step).toMatchObject({ kind: "hold", because: "prices are being fetched; this takes up to a minute" });
    expect(steps({ catalogue: undefined, queue: [anEntry({ reason: step?.because })] })).toEqual([]);
  });

  test("a job of higher priority takes the room before one that has waited longer", () => {
    const queue = [anEntry({ job: "patient" }), anEntry({ job: "urgent", priority: 9, submittedAtMs: now })];
    expect(steps({ queue, nodes: [aNode({ id: "n" })] })).toEqual(["bind urgent to n", "launch g5.xlarge spot for patient"]);
  });

  test("a small job goes past a large one that does not fit", () => {
    const large = anEntry({ job: "large", needs: { vcpus: 8, memoryGiB: 32, gpus: 4 } });
    const queue = [large, anEntry({ job: "small", submittedAtMs: now })];
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer(), fourSpot] });
    expect(steps({ queue, catalogue, nodes: [aNode({ id: "n" })] })).toEqual(["bind small to n", "launch g5.12xlarge spot for large"]);
  });
});

test("a job whose zones sell nothing waits with the reason, and does not delay jobs that accept any zone", () => {
  const queue = [anEntry({ job: "a", zones: ["us-east-1z"] }), anEntry({ job: "b" })];
  expect(steps({ queue })).toEqual(["launch g5.xlarge spot for b", "hold a"]);
  const [, held] = placed({ queue }).steps;
  expect(held?.because).toBe('pool gpu buys nodes for this job only in us-east-1a; change "zones" or name another pool');
});

test("a job does not go to a node outside its zones", () => {
  const nodes = [aNode({ id: "i-a" }), aNode({ id: "i-b", offer: anOffer({ zone: "us-east-1b" }) })];
  expect(steps({ nodes, queue: [anEntry({ zones: ["us-east-1b"] })] })).toEqual(["bind train-1 to i-b"]);
});

describe("jobs on one new node", () => {
  const queue = ["a", "b", "c", "d"].map((job) => anEntry({ job }));

  test("jobs share a new node if that costs less than a node for each", () => {
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer({ usdPerHour: 1 }), fourSpot] });
    expect(steps({ queue, catalogue })).toEqual(["launch g5.12xlarge spot for a+b+c+d"]);
  });

  test("jobs do not share a new node if that costs more", () => {
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer({ usdPerHour: 0.4 }), fourSpot] });
    expect(steps({ queue, catalogue })).toEqual(["launch 4 g5.xlarge spot for a+b+c+d"]);
  });

  test("jobs on one new node are of one team, unless the pool is shared", () => {
    const mixed = [anEntry({ job: "a" }), anEntry({ team: "audio", job: "b" })];
    const catalogue = aCatalogue({ types: [four], offers: [fourSpot] });
    expect(steps({ queue: mixed, catalogue })).toEqual(["launch g5.12xlarge spot for b", "launch g5.12xlarge spot for a"]);
    expect(placed({ queue: mixed, catalogue, pool: aPool({ shared: true }) }).steps).toMatchObject([
      { kind: "launch", launch: { team: undefined, jobs: [{ job: "b" }, { job: "a" }] } },
    ]);
  });

  test("every offer for a new node holds all its jobs together", () => {
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer({ usdPerHour: 1.5 }), fourSpot] });
    expect(placed({ queue: queue.slice(0, 2), catalogue }).steps).toMatchObject([{ launch: { offers: [fourSpot], types: [four] } }]);
  });
});

describe("a pool at its limit", () => {
  const reason =
    "the job needs $0.50/h more, and pool gpu has more than $9.50/h of its $10/h reserved; it starts when other work ends or the limit is raised";

  test("a pool at its limit holds a job that would exceed it, with the reason", () => {
    expect(placed({ reserved: { usdPerHour: 9.6, gpus: 1 } }).steps).toEqual([{ kind: "hold", entry: anEntry(), because: reason }]);
    expect(steps({ reserved: { usdPerHour: 1, gpus: 8 } })).toEqual(["hold train-1"]);
  });

  test("a pool at its limit does not record the same reason twice", () => {
    expect(steps({ reserved: { usdPerHour: 9.6, gpus: 1 }, queue: [anEntry({ reason })] })).toEqual([]);
  });

  test("a pool launches no more than its limit leaves", () => {
    const queue = ["a", "b", "c"].map((job) => anEntry({ job }));
    expect(steps({ queue, reserved: { usdPerHour: 0, gpus: 6 } })).toEqual(["launch 2 g5.xlarge spot for a+b", "hold c"]);
  });

  test("a plan holds waiting jobs only after its launches, because a thousand holds take time", () => {
    const queue = [anEntry({ job: "large", needs: { vcpus: 2, memoryGiB: 8, gpus: 4 } }), anEntry({ job: "small", submittedAtMs: now })];
    const catalogue = aCatalogue({ types: [aType(), four], offers: [anOffer(), fourSpot] });
    expect(steps({ queue, catalogue, reserved: { usdPerHour: 0, gpus: 6 } })).toEqual(["launch g5.xlarge spot for small", "hold large"]);
  });

  test("a pool spends its limit to the last dollar, although dollars are not exact in binary", () => {
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

  test("a refused offer is not requested while it rests, and the job gets an on-demand node", () => {
    const catalogue = aCatalogue({ offers: [anOffer(), onDemand] });
    expect(steps({ catalogue, refusals: [aRefusal({ untilMs: until })] })).toEqual(["launch g5.xlarge on-demand for train-1"]);
    expect(steps({ catalogue, refusals: [aRefusal({ untilMs: now })] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("a launch's reason names cheaper offers that were refused", () => {
    const zones = ["us-east-1a", "us-east-1b"];
    const catalogue = aCatalogue({ offers: [...zones.map((zone) => anOffer({ zone })), onDemand] });
    const refusals = zones.map((zone) => aRefusal({ zone, untilMs: until }));
    expect(placed({ catalogue, refusals }).steps).toMatchObject([
      {
        because: expect.stringMatching(/; cheaper, but recently refused: g5\.xlarge spot in us-east-1a, us-east-1b$/),
        launch: { offers: [onDemand] },
      },
    ]);
    const types = [1, 2, 3, 4, 5].map((n) => aType({ name: `g5.${n}` }));
    const five = aCatalogue({
      types: [...types, aType()],
      offers: [...types.map(({ name }) => anOffer({ instanceType: name })), onDemand],
    });
    const all = types.map(({ name }) => aRefusal({ instanceType: name, untilMs: until }));
    const named = [1, 2, 3].map((n) => `g5.${n} spot in us-east-1a`).join("; ");
    expect(placed({ catalogue: five, refusals: all }).steps).toMatchObject([
      { because: expect.stringMatching(new RegExp(`refused: ${named} and 2 more$`)) },
    ]);
    expect(placed({ catalogue, refusals: [] }).steps).toMatchObject([{ because: expect.not.stringContaining("recently refused") }]);
  });

  test("a job that fits only refused offers waits until they may be requested again", () => {
    const { steps: planned, wakeAtMs } = placed({ refusals: [aRefusal({ untilMs: until })] });
    expect(planned).toMatchObject([
      {
        kind: "hold",
        because:
          "EC2 has no capacity for any instance type that fits (InsufficientInstanceCapacity); the next request follows within minutes",
      },
    ]);
    expect(wakeAtMs).toBe(until);
  });

  test("one launch of a plan tries an offer after its rest, and the other launches request the other offers", () => {
    const teams = ["audio", "text", "vision"].map((team) => anEntry({ team }));
    const halfOpen = [aRefusal({ untilMs: now })];
    const alone = placed({ queue: teams, refusals: halfOpen });
    expect(alone.steps.map(inWords)).toEqual(["launch g5.xlarge spot for train-1"]);
    expect(alone.steps).toMatchObject([{ launch: { team: "audio" } }]);
    expect(alone.wakeAtMs).toBe(now);
    const other = anOffer({ zone: "us-east-1b", usdPerHour: 0.6 });
    const beside = placed({ queue: teams, refusals: halfOpen, catalogue: aCatalogue({ offers: [anOffer(), other] }) });
    expect(beside.steps).toMatchObject([
      { launch: { team: "audio", offers: [anOffer(), other], reserved: { usdPerHour: 0.6 } } },
      { launch: { team: "text", offers: [other], reserved: { usdPerHour: 0.6 } } },
      { launch: { team: "vision", offers: [other] } },
    ]);
  });

  test("a refusal for a quota applies to all types that the quota counts, and the reason says what an admin can do", () => {
    const quota = { why: "limit", region: "us-east-1", market: "spot", quota: "All G and VT Spot Instance Requests" } as const;
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

  test("jobs that are alike are requested together, forty nodes at a time", () => {
    const { steps: planned, wakeAtMs } = placed({ queue: alike(100), pool: roomy });
    expect(planned.map((step) => step.kind === "launch" && step.launch.count)).toEqual([40, 40, 20]);
    expect(planned).toMatchObject([{ launch: { whole: false, reserved: { usdPerHour: 20, gpus: 40 } } }, {}, {}]);
    expect(planned.flatMap((step) => (step.kind === "launch" ? step.launch.jobs : [])).map(({ job }) => job)).toEqual(
      alike(100).map(({ job }) => job),
    );
    expect(wakeAtMs).toBeUndefined();
  });

  test("a decision launches at most 400 nodes, and the next one follows at once without holding the remaining jobs", () => {
    const { steps: planned, wakeAtMs } = placed({ queue: alike(450), pool: roomy });
    expect(planned.map((step) => step.kind === "launch" && step.launch.count)).toEqual(Array.from({ length: 10 }, () => 40));
    expect(wakeAtMs).toBe(now);
  });

  test("a decision makes at most forty launches for teams that share no nodes, and the next one makes the rest", () => {
    const queue = Array.from({ length: 45 }, (_, n) => anEntry({ team: `team-${n}`, submittedAtMs: monday + n }));
    const { steps: planned, wakeAtMs } = placed({ queue, pool: roomy });
    expect(planned.map((step) => step.kind === "launch" && step.launch.team)).toEqual(queue.slice(0, 40).map(({ team }) => team));
    expect(wakeAtMs).toBe(now);
  });

  test("many jobs that are alike do not delay a decision, because each kind is tried once", () => {
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
    // If every job tried each of the 400 bundles, there would be millions of tries.
    expect(looks).toBeGreaterThanOrEqual(4_000);
    expect(looks).toBeLessThan(100_000);
  });
});

describe("a job that nothing can be bought for today", () => {
  const because = "EC2 sells no instance type that fits in the zones and markets of pool gpu; name another pool";

  test("a job that nothing can be bought for is held with the reason once", () => {
    expect(placed({ catalogue: aCatalogue({ offers: [] }) })).toMatchObject({
      steps: [{ kind: "hold", entry: anEntry(), because }],
      wakeAtMs: undefined,
    });
    expect(steps({ catalogue: aCatalogue({ offers: [] }), queue: [anEntry({ reason: because })] })).toEqual([]);
  });

  test("a job gets a node when an offer that fits is sold again", () => {
    expect(steps({ queue: [anEntry({ reason: because })] })).toEqual(["launch g5.xlarge spot for train-1"]);
  });

  test("a job takes an existing node, whatever a new one would cost", () => {
    const nodes = [aNode({ id: "n" })];
    expect(steps({ nodes, catalogue: aCatalogue({ offers: [] }) })).toEqual(["bind train-1 to n"]);
    expect(steps({ nodes, catalogue: aCatalogue({ offers: [anOffer({ usdPerHour: 50 })] }) })).toEqual(["bind train-1 to n"]);
  });

  test("a job that nothing can be bought for does not delay others", () => {
    const queue = [anEntry({ job: "picky", spot: false }), anEntry({ job: "other", submittedAtMs: now })];
    expect(placed({ queue }).steps).toMatchObject([
      { kind: "launch", launch: { jobs: [{ job: "other" }] } },
      { kind: "hold", entry: { job: "picky" }, because: 'pool gpu buys spot capacity only; set "spot": true or name another pool' },
    ]);
  });

  test("a job that is too expensive for the limit waits with the price and the limit as the reason", () => {
    const dear = aCatalogue({ offers: [anOffer({ usdPerHour: 10.5 })] });
    expect(placed({ catalogue: dear }).steps).toMatchObject([
      { kind: "hold", because: "the cheapest node that fits, g5.xlarge, costs $10.50/h and pool gpu is limited to $10/h" },
    ]);
  });

  test("a job waits until lowered limits are raised again", () => {
    const lowered = aPool({ limits: { usdPerHour: 10, gpus: 0 } });
    expect(placed({ pool: lowered }).steps).toMatchObject([{ kind: "hold", because: "the job needs 1 GPU and pool gpu is limited to 0" }]);
  });
});

describe("thousands of waiting jobs", () => {
  const queue = Array.from({ length: 1_200 }, (_, n) => anEntry({ job: `job-${n}`, submittedAtMs: monday + n }));

  test.each<[string, Partial<Snapshot>]>([
    ["for room within the limits", { reserved: { usdPerHour: 0, gpus: 8 } }],
    ["for an offer", { catalogue: aCatalogue({ offers: [] }) }],
    ["for prices", { catalogue: undefined }],
  ])("thousands of jobs that wait %s are held 500 at a time, in their turn, until all have the reason", (_what, over) => {
    const held: string[] = [];
    let waiting = queue;
    for (const most of [500, 500, 200, 0]) {
      const holds = placed({ ...over, queue: waiting.toReversed() }).steps.filter((step) => step.kind === "hold");
      expect(holds).toHaveLength(most);
      const reasons = new Map(holds.map((step) => [step.entry.job, step.because]));
      held.push(...reasons.keys());
      waiting = waiting.map((entry) => ({ ...entry, reason: reasons.get(entry.job) ?? entry.reason }));
    }
    expect(held).toEqual(queue.map((entry) => entry.job));
  });

  test("holds follow the launches of the same plan", () => {
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
  ])("a node whose jobs name %i datasets each gets at most %i jobs, as many as its item in the table can name", (datasets, most) => {
    const binds = placed({ queue: hundreds(datasets), nodes: [aNode({ type: large })] }).steps.filter((step) => step.kind === "bind");
    expect(binds).toHaveLength(most);
    const held = binds.map(({ entry: { team, job, attempt, needs, datasets: uses } }) =>
      anAssignment({ team, job, attempt, needs, datasets: uses, phase: "uploading", process: "p".repeat(64) }),
    );
    expect(JSON.stringify(held).length).toBeLessThan(150_000);
    expect(placed({ queue: hundreds(datasets), nodes: [aNode({ type: large, assignments: held })] }).bound).toEqual(new Set());
  });

  test("a node is launched for no more jobs than its item can name, and a job that needs less still gets a place", () => {
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

describe("before prices are known", () => {
  const early = { catalogue: undefined, pool: aPool({ markets: ["spot"] }) };

  test("a waiting job that its pool's configuration excludes is held with that reason, and not with prices", () => {
    const because = 'pool gpu buys spot capacity only; set "spot": true or name another pool';
    expect(decide(seen({ ...early, queue: [anEntry({ spot: false })] })).steps).toMatchObject([{ kind: "hold", because }]);
  });

  test("a job none of whose GPU models may exist is held, and fails once the catalogue knows none of them", () => {
    const queue = [anEntry({ gpu: { memoryGiB: 0, models: ["H900"] } })];
    expect(decide(seen({ ...early, queue })).steps).toMatchObject([
      { kind: "hold", because: "prices are being fetched; this takes up to a minute" },
    ]);
    expect(decide(seen({ queue })).steps).toMatchObject([
      { kind: "fail", failure: "never-fits", because: "no instance type of pool gpu has GPUs of model H900; it has A10G (24 GiB)" },
    ]);
  });
});
