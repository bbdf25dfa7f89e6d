import fc from "fast-check";
import { quotaOf } from "../../lib/decide/capacity/quotas.ts";
import type { QueueEntry } from "../../lib/model/job.ts";
import type { Launch } from "../../lib/model/launch.ts";
import type { Assignment, Node, NodeState } from "../../lib/model/node.ts";
import { type Catalogue, type InstanceType, type Offer, offerName, regionOf } from "../../lib/model/offer.ts";
import type { Snapshot } from "../../lib/model/plan.ts";
import type { Budgets, Pool } from "../../lib/model/pool.ts";
import { type Refusal, type Subject, subjectName } from "../../lib/model/refusal.ts";
import { fits, minus, type Resources } from "../../lib/model/values/resources.ts";
import { aSnapshot, monday, someWants } from "../fakes/builders.ts";

const teams = ["audio", "vision"] as const;
const team = fc.constantFrom(...teams);
const moment = fc.integer({ min: 0, max: 1_200 }).map((seconds) => monday + seconds * 1000);
const nowMs = monday + 1_200_000;
/** Mostly a moment ago, as for a node whose worker calls. */
const lately = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 25 }).map((seconds) => nowMs - seconds * 1000) },
  { weight: 1, arbitrary: moment },
);

const type: fc.Arbitrary<Omit<InstanceType, "name">> = fc
  .record({ gpus: fc.constantFrom(0, 1, 4, 8), size: fc.integer({ min: 1, max: 8 }), model: fc.constantFrom("T4", "A10G") })
  .map(({ gpus, size, model }) => ({
    resources: { vcpus: 4 * size - 0.2, memoryGiB: 16 * size * 0.92, gpus },
    ...(gpus > 0 ? { gpu: { model, memoryGiB: model === "T4" ? 16 : 24 } } : {}),
  }));

const types = fc
  .array(type, { minLength: 1, maxLength: 5, size: "max" })
  .map((all) => all.map((each, n): InstanceType => ({ ...each, name: `g${n}` })));

const offersOf = (all: readonly InstanceType[]): fc.Arbitrary<readonly Offer[]> =>
  fc.uniqueArray(
    fc.record({
      instanceType: fc.constantFrom(...all.map((each) => each.name)),
      zone: fc.constantFrom("a", "b"),
      market: fc.constantFrom("spot" as const, "on-demand" as const),
      usdPerHour: fc.integer({ min: 1, max: 400 }).map((tens) => tens / 10),
    }),
    { selector: offerName, maxLength: 12, size: "max" },
  );

export const catalogue: fc.Arbitrary<Catalogue> = types.chain((all) =>
  offersOf(all).map((offers) => ({ types: all, offers, refreshedAtMs: monday })),
);

const needs: fc.Arbitrary<Resources> = fc.record({
  vcpus: fc.constantFrom(0.5, 0.5, 1, 2, 20),
  memoryGiB: fc.constantFrom(1, 1, 4, 8, 64),
  gpus: fc.constantFrom(0, 0, 1, 1, 1, 2, 4, 9),
});

export const queue: fc.Arbitrary<readonly QueueEntry[]> = fc
  .array(
    fc.record({
      team,
      priority: fc.constantFrom(-1, 0, 0, 0, 5),
      submittedAtMs: moment,
      needs,
      gpu: fc.record({ memoryGiB: fc.constantFrom(0, 0, 20, 80), models: fc.constantFrom([], [], ["t4"], ["A10G", "H100"]) }),
      spot: fc.boolean(),
      nodes: fc.constantFrom(1, 1, 1, 1, 1, 2, 3),
      datasets: fc.constant([]),
      zones: fc.constantFrom([], [], [], [], ["a"], ["a", "b"]),
    }),
    { maxLength: 25, size: "max" },
  )
  .map((all) => all.map((each, n) => ({ ...each, gpu: each.needs.gpus > 0 ? each.gpu : anyGpu, job: `job-${n}`, attempt: 1 })));
const anyGpu = { memoryGiB: 0, models: [] };

export const budgets: fc.Arbitrary<Budgets> = fc.record(
  { usdPerDay: fc.constantFrom(0, 30, 200, 2000), usdPerMonth: fc.constantFrom(100, 910, 20_000) },
  { requiredKeys: [] },
);

export const pool: fc.Arbitrary<Pool> = fc
  .record({
    usdPerHour: fc.constantFrom(0, 20, 100, 1000, 1000),
    gpus: fc.constantFrom(0, 8, 64, 64),
    shared: fc.boolean(),
    budgets: fc.option(budgets, { nil: undefined, freq: 2 }),
    maxLifetimeSeconds: fc.constantFrom(undefined, undefined, 300, 1200),
    consolidateSeconds: fc.constantFrom(undefined, 0, 60),
    disruption: fc.constantFrom({ nodes: 0 }, { nodes: 1 }, { share: 0.3 }),
  })
  .map(({ usdPerHour, gpus, ...more }) => ({
    ...more,
    name: "gpu",
    families: ["g"],
    markets: ["spot", "on-demand"],
    limits: { usdPerHour, gpus },
    idleSeconds: 120,
    bootSeconds: 600,
    silentSeconds: 1_800,
    islandHours: 24,
    drainSeconds: 60,
    maxLosses: 3,
    maxQueuedJobs: 50_000,
    teams: [],
    containers: true,
    fallbackSeconds: 300,
  }));

const states: readonly NodeState[] = ["launching", "ready", "ready", "ready", "draining", "terminating", "gone"];

const nodesOf = (known: Catalogue, ofPool: Pool): fc.Arbitrary<readonly Node[]> => {
  if (known.offers.length === 0) return fc.constant([]);
  const holding = fc.array(
    fc.record({ team, needs, phase: fc.constantFrom("placed" as const, "running" as const, "uploading" as const) }),
    {
      maxLength: 3,
    },
  );
  const node = fc.record({
    offer: fc.constantFrom(...known.offers),
    team,
    state: fc.constantFrom(...states),
    launchedAtMs: moment,
    lastSeenMs: lately,
    lastBusyMs: moment,
    stateSinceMs: moment,
    islandMs: fc.constantFrom(0, 900_000),
    gpusBusyAtMs: fc.option(moment, { nil: undefined }),
    drain: fc.option(
      moment.map((untilMs) => ({ because: "its life ends", untilMs })),
      { nil: undefined },
    ),
    noticedAtMs: fc.option(moment, { nil: undefined }),
    holding,
  });
  return fc.array(node, { maxLength: 8, size: "max" }).map((all) =>
    all.map(({ holding: wanted, islandMs, team: ofTeam, drain, noticedAtMs, ...each }, n): Node => {
      const { offer } = each;
      const shape = known.types.find((one) => one.name === offer.instanceType);
      if (!shape) throw new Error(`${offer.instanceType} has no shape`);
      const owner = ofPool.shared ? undefined : ofTeam;
      return {
        ...each,
        id: `i-${n}`,
        pool: "gpu",
        launch: `launch-of-${n}`,
        team: owner,
        type: shape,
        readyAtMs: each.launchedAtMs,
        ...(each.state === "draining" && drain ? { drain } : {}),
        ...(each.state === "draining" && noticedAtMs ? { notice: { kind: "rebalance", atMs: noticedAtMs } } : {}),
        ...(each.state === "terminating" ? { released: true } : {}),
        assignments: each.state === "terminating" ? [] : thatFit(shape.resources, wanted, { node: n, owner }),
      };
    }),
  );
};

/** Returns as many of the wanted assignments as the node holds, in order. */
function thatFit(
  resources: Resources,
  wanted: readonly Pick<Assignment, "team" | "needs" | "phase">[],
  on: { node: number; owner: string | undefined },
): readonly Assignment[] {
  let free = resources;
  return wanted.flatMap((each, n) => {
    if (each.phase !== "uploading" && !fits(each.needs, free)) return [];
    if (each.phase !== "uploading") free = minus(free, each.needs);
    return [{ ...someWants(), ...each, team: on.owner ?? each.team, job: `held-${on.node}-${n}`, attempt: 1 }];
  });
}

/** Refusals of offers and of quotas, resting or after their rest; some apply only to several nodes at once. */
const refusalsOf = (known: Catalogue): fc.Arbitrary<readonly Refusal[]> =>
  fc
    .subarray([...known.offers], { maxLength: Math.min(5, known.offers.length) })
    .chain((refused) =>
      fc.tuple(...refused.map(refusalOf)).map((all) => [...new Map(all.map((each) => [subjectName(each), each])).values()]),
    );

const refusalOf = ({ instanceType, zone, market }: Offer): fc.Arbitrary<Refusal> =>
  fc
    .record({
      subject: fc.constantFrom<Subject>(
        { why: "capacity", instanceType, zone, market },
        { why: "capacity", instanceType, zone, market },
        { why: "fault", pool: "gpu", instanceType, zone, market },
        { why: "limit", region: regionOf(zone), market, quota: quotaOf(instanceType, market) },
      ),
      seconds: fc.integer({ min: -100, max: 200 }),
      least: fc.constantFrom(1, 1, 2),
      evidence: fc.constantFrom(1, 1.5, 4),
    })
    .map(({ subject, seconds, least, evidence }) => ({
      ...subject,
      code: "InsufficientInstanceCapacity",
      least: subject.why === "limit" ? least * 8 : least,
      evidence,
      atMs: nowMs - 100_000,
      sinceMs: nowMs - 900_000,
      untilMs: nowMs + seconds * 1000,
      launch: "before",
    }));

/** An intent for one of the waiting jobs, with an unknown outcome. */
const openOf = (known: Catalogue, waiting: readonly QueueEntry[]): fc.Arbitrary<readonly Launch[]> => {
  const [offer] = known.offers;
  if (!offer) return fc.constant([]);
  return fc.subarray([...waiting], { maxLength: Math.min(2, waiting.length) }).map((entries) =>
    entries.map((entry, n) => ({
      id: `open-${n}`,
      pool: "gpu",
      team: entry.team,
      market: offer.market,
      offers: [offer],
      types: known.types.filter((each) => each.name === offer.instanceType),
      jobs: [{ team: entry.team, job: entry.job }],
      count: 1,
      whole: false,
      clientToken: `open-${n}`,
      reserved: { usdPerHour: offer.usdPerHour, gpus: 0 },
      intendedAtMs: nowMs,
      because: "a job waits",
    })),
  );
};

/** Every valid snapshot: anything that a pool's ledger may hold at one moment. */
export const snapshot: fc.Arbitrary<Snapshot> = fc
  .record({ known: catalogue, ofPool: pool, waiting: queue })
  .chain(({ known, ofPool, waiting }) =>
    fc
      .record({
        reserved: fc.record({ usdPerHour: fc.constantFrom(0, 1.1, 4.9, 30), gpus: fc.constantFrom(0, 1, 8) }),
        spent: fc.record({ dayUsd: fc.constantFrom(0, 2.5, 40), monthUsd: fc.constantFrom(40, 900) }),
        nodes: nodesOf(known, ofPool),
        openLaunches: openOf(known, waiting),
        catalogue: fc.option(fc.constant(known), { nil: undefined, freq: 10 }),
        refusals: refusalsOf(known),
      })
      .map((parts) => aSnapshot({ nowMs, pool: ofPool, queue: waiting, ...parts })),
  );
