import fc from "fast-check";
import { expect, test } from "vitest";
import { capacityView } from "../../lib/decide/capacity/capacity-view.ts";
import { decide } from "../../lib/decide/decide.ts";
import { whyTooLarge, whyUnsold } from "../../lib/decide/placement/impossible.ts";
import { type AttemptRef, byTurn } from "../../lib/model/job.ts";
import { freeOn } from "../../lib/model/node.ts";
import type { Plan, Snapshot, Step } from "../../lib/model/plan.ts";
import { fits, type Resources, sum } from "../../lib/model/values/resources.ts";
import type { Wants } from "../../lib/model/wants.ts";
import { stormRuns } from "./storm-runs.ts";
import { snapshot } from "./worlds.ts";

const runs = { numRuns: stormRuns(2_500) };
const forEverySnapshot = (holds: (seen: Snapshot, plan: Plan) => void): void => {
  fc.assert(
    fc.property(snapshot, (seen) => holds(seen, decide(seen))),
    runs,
  );
};
const only = <K extends Step["kind"]>(plan: Plan, kind: K): Extract<Step, { kind: K }>[] =>
  plan.steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
/** The nodes and jobs of a plan's binds; a gang's entry appears once per member. */
const givenBy = (plan: Plan): { readonly node: string; readonly entry: AttemptRef & Wants }[] =>
  plan.steps.flatMap((step): { readonly node: string; readonly entry: AttemptRef & Wants }[] => {
    if (step.kind === "bind") return [step];
    if (step.kind === "rebind") return [{ node: step.node, entry: step.attempt }];
    return step.kind === "bind-gang" ? step.nodes.map((node) => ({ node, entry: step.entry })) : [];
  });
const times = (count: number, { vcpus, memoryGiB, gpus }: Resources): Resources => ({
  // Sums of binary fractions: a millionth is no room.
  vcpus: count * vcpus + 1e-6,
  memoryGiB: count * memoryGiB + 1e-6,
  gpus: count * gpus,
});
const nameOf = ({ team, job }: Pick<AttemptRef, "team" | "job">): string => `${team}/${job}`;

test("the generated snapshots lead to every kind of step, many times", () => {
  type Kind = Step["kind"] | "shared launch" | "gang launch" | "joined launch";
  const counts = new Map<Kind, number>();
  const count = (kind: Kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  // The seed is fixed, because how often each kind occurs is a matter of chance.
  for (const seen of fc.sample(snapshot, { numRuns: 700, seed: 7 }))
    for (const step of decide(seen).steps) {
      count(step.kind);
      if (step.kind === "launch" && step.launch.jobs.length > step.launch.count) count("shared launch");
      if (step.kind === "launch" && step.launch.count > 1) count(step.launch.whole ? "gang launch" : "joined launch");
    }
  for (const kind of [
    "bind",
    "launch",
    "shared launch",
    "gang launch",
    "joined launch",
    "retire",
    "lose",
    "confirm",
    "fail",
    "hold",
  ] as const) {
    // Few jobs of a snapshot are alike.
    expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(kind === "joined launch" ? 10 : 50);
  }
});

test("a packing costs no less than its bound", () => {
  forEverySnapshot((_, { packing }) => {
    if (!packing) return;
    expect(packing.boundUsdPerHour).toBeLessThanOrEqual(packing.usdPerHour + 1e-6);
    expect(packing.boundUsdPerHour).toBeGreaterThanOrEqual(0);
  });
});

test("the same snapshot gives the same plan, in whatever order its parts are listed", () => {
  const shuffled = snapshot.chain((seen) =>
    fc
      .record({
        queue: shuffle(seen.queue),
        nodes: shuffle(seen.nodes),
        refusals: shuffle(seen.refusals),
        openLaunches: shuffle(seen.openLaunches),
        offers: shuffle(seen.catalogue?.offers ?? []),
        types: shuffle(seen.catalogue?.types ?? []),
      })
      .map(({ offers, types, ...parts }) => ({
        seen,
        other: { ...seen, ...parts, catalogue: seen.catalogue && { ...seen.catalogue, offers, types } },
      })),
  );
  fc.assert(
    fc.property(shuffled, ({ seen, other }) => {
      expect(decide(other)).toEqual(decide(seen));
    }),
    runs,
  );
});

test("a decision does not change its snapshot", () => {
  forEverySnapshot((seen) => {
    const before = structuredClone(seen);
    decide(seen);
    expect(seen).toEqual(before);
  });
});

test("no node gets more than it has free, or another team's work, or anything while it is not live", () => {
  forEverySnapshot((seen, plan) => {
    for (const node of seen.nodes) {
      const given = givenBy(plan).filter((one) => one.node === node.id);
      const needs = sum(given.map(({ entry }) => entry.needs));
      // Sums of binary fractions: a millionth is no room.
      const room = freeOn(node);
      expect(given.length === 0 || fits(needs, { ...room, vcpus: room.vcpus + 1e-6, memoryGiB: room.memoryGiB + 1e-6 })).toBe(true);
      for (const { entry } of given) expect(node.team ?? entry.team).toBe(entry.team);
      for (const { entry } of given) expect(entry.spot || node.offer.market === "on-demand").toBe(true);
      if (given.length > 0) expect(["launching", "ready"]).toContain(node.state);
    }
  });
});

test("launches never exceed what the pool's limits leave", () => {
  forEverySnapshot((seen, plan) => {
    const launches = only(plan, "launch");
    if (launches.length === 0) return;
    const usd = launches.reduce((total, step) => total + step.launch.reserved.usdPerHour, seen.reserved.usdPerHour);
    const gpus = launches.reduce((total, step) => total + step.launch.reserved.gpus, seen.reserved.gpus);
    expect(usd).toBeLessThanOrEqual(seen.pool.limits.usdPerHour + 1e-6);
    expect(gpus).toBeLessThanOrEqual(seen.pool.limits.gpus);
  });
});

test("a launch reserves, per node, the price of its most expensive offer and the GPUs of its largest", () => {
  forEverySnapshot((_seen, plan) => {
    for (const { launch } of only(plan, "launch")) {
      const shape = new Map(launch.types.map((type) => [type.name, type]));
      const dearest = Math.max(...launch.offers.map((offer) => offer.usdPerHour));
      const largest = Math.max(...launch.offers.map((offer) => shape.get(offer.instanceType)?.resources.gpus ?? -1));
      expect(launch.reserved.usdPerHour).toBeCloseTo(dearest * launch.count, 6);
      expect(launch.reserved.gpus).toBe(largest * launch.count);
    }
  });
});

test("every offer of a launch holds each of its jobs, enough nodes of it hold them all, all accept its market, and it was not refused", () => {
  forEverySnapshot((seen, plan) => {
    const entries = new Map(seen.queue.map((entry) => [nameOf(entry), entry]));
    const known = capacityView(seen.refusals, seen.nowMs);
    for (const { launch } of only(plan, "launch")) {
      const jobs = launch.jobs.flatMap((job) => entries.get(nameOf(job)) ?? []);
      const needs = sum(jobs.map((entry) => entry.needs));
      expect(jobs.length).toBe(launch.jobs.length);
      expect(launch.offers.length).toBeGreaterThan(0);
      for (const offer of launch.offers) {
        const type = launch.types.find((each) => each.name === offer.instanceType);
        for (const entry of jobs) expect(type && fits(entry.needs, type.resources)).toBe(true);
        expect(type && (launch.whole || fits(needs, times(launch.count, type.resources)))).toBe(true);
        expect(offer.market).toBe(launch.market);
        expect(type && known.status({ offer, type, count: launch.whole ? launch.count : 1 })).not.toBe("cooling-down");
        for (const { gpu, needs: one } of jobs) {
          if (one.gpus === 0) continue;
          expect(type?.gpu?.memoryGiB).toBeGreaterThanOrEqual(gpu.memoryGiB);
          if (gpu.models.length > 0) expect(gpu.models.map((model) => model.toLowerCase())).toContain(type?.gpu?.model.toLowerCase());
        }
      }
      if (launch.market === "spot") expect(jobs.every((entry) => entry.spot)).toBe(true);
      const ward = seen.nodes.find((node) => node.id === launch.replaces);
      if (ward) expect([launch.team, launch.jobs]).toEqual([ward.team, []]);
      else if (!seen.pool.shared) expect(new Set(jobs.map((entry) => entry.team))).toEqual(new Set([launch.team]));
    }
  });
});

test("a job gets at most one step, and none while its node is being launched", () => {
  forEverySnapshot((seen, plan) => {
    const fates = plan.steps.flatMap((step): string[] => {
      if (step.kind === "bind" || step.kind === "bind-gang" || step.kind === "hold") return [nameOf(step.entry)];
      if (step.kind === "launch") return step.launch.jobs.map(nameOf);
      return step.kind === "fail" ? [nameOf(step.attempt)] : [];
    });
    expect(new Set(fates).size).toBe(fates.length);
    for (const launch of seen.openLaunches) for (const job of launch.jobs) expect(fates).not.toContain(nameOf(job));
  });
});

test("a job without a step is being launched for, or has a reason to wait", () => {
  const steady = snapshot.map((seen) => ({ ...seen, queue: seen.queue.map((entry) => ({ ...entry, reason: undefined })) }));
  fc.assert(
    fc.property(steady, (seen) => {
      const plan = decide(seen);
      const known = new Map(only(plan, "hold").map((step) => [nameOf(step.entry), step.because]));
      const again = decide({ ...seen, queue: seen.queue.map((entry) => ({ ...entry, reason: known.get(nameOf(entry)) })) });
      expect(only(again, "hold")).toEqual([]);
      expect(again.steps).toEqual(plan.steps.filter((step) => step.kind !== "hold").map((step) => withReason(step, known)));
    }),
    runs,
  );
});

test("a node is retired only if it holds nothing and gets nothing", () => {
  forEverySnapshot((seen, plan) => {
    const bound = new Set(givenBy(plan).map(({ node }) => node));
    for (const { node: id } of only(plan, "retire")) {
      expect(seen.nodes.find((node) => node.id === id)?.assignments).toEqual([]);
      expect(bound.has(id)).toBe(false);
    }
  });
});

test("the work of a node is taken back only if EC2 has said that the instance has ended", () => {
  forEverySnapshot((seen, plan) => {
    for (const { node: id } of only(plan, "lose")) expect(seen.nodes.find((each) => each.id === id)?.state).toBe("gone");
  });
});

test("a node gets at most one step that ends it", () => {
  forEverySnapshot((_seen, plan) => {
    const gives = (kind: string): boolean => kind === "bind" || kind === "rebind";
    const ended = plan.steps.flatMap((step) => ("node" in step && !gives(step.kind) ? [step.node] : []));
    expect(new Set(ended).size).toBe(ended.length);
  });
});

test("a job fails if and only if no type of the pool could ever hold it", () => {
  forEverySnapshot((seen, plan) => {
    const failed = new Set(only(plan, "fail").map((step) => nameOf(step.attempt)));
    const open = new Set(seen.openLaunches.flatMap((launch) => launch.jobs.map(nameOf)));
    for (const entry of seen.queue.filter((each) => !open.has(nameOf(each)))) {
      const why = seen.catalogue && whyTooLarge(entry, seen.pool, seen.catalogue.types);
      expect(failed.has(nameOf(entry))).toBe(why !== undefined);
    }
  });
});

test("a job that nothing can be bought for today goes to an existing node, or waits with a reason", () => {
  let unsold = 0;
  forEverySnapshot((seen, plan) => {
    const { catalogue, pool } = seen;
    const open = new Set(seen.openLaunches.flatMap((launch) => launch.jobs.map(nameOf)));
    const reasons = new Map(only(plan, "hold").map((step) => [nameOf(step.entry), step.because]));
    const bound = new Set(givenBy(plan).map(({ entry }) => nameOf(entry)));
    for (const entry of seen.queue.filter((each) => catalogue && !open.has(nameOf(each)))) {
      const why = catalogue && !whyTooLarge(entry, pool, catalogue.types) && whyUnsold(entry, pool, catalogue);
      if (!why) continue;
      unsold += 1;
      expect(bound.has(nameOf(entry)) ? why : reasons.get(nameOf(entry))).toBe(why);
    }
  });
  expect(unsold).toBeGreaterThan(2 * runs.numRuns);
});

test("no price and no limit ends a node that holds work", () => {
  const changed = fc.record({ seen: snapshot, usd: fc.constantFrom(0, 1, 1000), gpus: fc.constantFrom(0, 64), sold: fc.boolean() });
  const ends = (plan: Plan) => plan.steps.filter((step) => step.kind === "lose" || step.kind === "confirm");
  fc.assert(
    fc.property(changed, ({ seen, usd, gpus, sold }) => {
      const pool = { ...seen.pool, limits: { usdPerHour: usd, gpus } };
      const catalogue = seen.catalogue && { ...seen.catalogue, offers: sold ? seen.catalogue.offers : [] };
      const plan = decide({ ...seen, pool, catalogue });
      expect(ends(plan)).toEqual(ends(decide(seen)));
      expect(only(plan, "fail")).toEqual(only(decide(seen), "fail"));
      for (const { node: id } of only(plan, "retire")) expect(seen.nodes.find((node) => node.id === id)?.assignments).toEqual([]);
    }),
    runs,
  );
});

test("every step has a reason", () => {
  forEverySnapshot((_seen, plan) => {
    for (const step of plan.steps) expect(step.because.length).toBeGreaterThan(5);
  });
});

test("the turn of jobs is a total order, whichever job is compared first", () => {
  fc.assert(
    fc.property(snapshot, ({ queue }) => {
      for (const a of queue)
        for (const b of queue) {
          expect(Math.sign(byTurn(a, b)) + Math.sign(byTurn(b, a))).toBe(0);
          if (nameOf(a) !== nameOf(b)) expect(byTurn(a, b)).not.toBe(0);
        }
      expect(queue.toReversed().toSorted(byTurn)).toEqual(queue.toSorted(byTurn));
    }),
    { numRuns: stormRuns(250) },
  );
});

function withReason(step: Step, known: ReadonlyMap<string, string>): Step {
  return "entry" in step ? { ...step, entry: { ...step.entry, reason: known.get(nameOf(step.entry)) } } : step;
}

const shuffle = <T>(all: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });

test("a job moves only from a node that boots to one that is ready, and no node both loses and gets work or is ended or drained", () => {
  let moved = 0;
  /** The work of the first ready node is on another one that still boots, and nothing waits. */
  const withBooting = snapshot.map((seen): Snapshot => {
    const ready = seen.nodes.find(({ state, assignments }) => state === "ready" && assignments.length > 0);
    if (!ready) return seen;
    const { readyAtMs: _ready, lastSeenMs: _seen, ...booting } = ready;
    const assignments = ready.assignments.map(({ process: _process, rank: _rank, ...held }) => ({ ...held, phase: "placed" as const }));
    const others = seen.nodes.map((node) => (node === ready ? { ...ready, assignments: [] } : node));
    const boots = { ...booting, id: "i-boots", state: "launching", launchedAtMs: seen.nowMs - 1_000, assignments } as const;
    return { ...seen, queue: [], nodes: [...others, boots] };
  });
  const check = (seen: Snapshot): void => {
    const plan = decide(seen);
    const rebinds = only(plan, "rebind");
    moved += rebinds.length;
    const stateOf = (id: string) => seen.nodes.find((node) => node.id === id)?.state;
    for (const { from, node, attempt } of rebinds) {
      expect([stateOf(from), stateOf(node)]).toEqual(["launching", "ready"]);
      expect([attempt.phase, attempt.rank]).toEqual(["placed", undefined]);
      expect(seen.nodes.find(({ id }) => id === from)?.assignments).toContainEqual(attempt);
    }
    expect(new Set(rebinds.map(({ attempt }) => nameOf(attempt))).size).toBe(rebinds.length);
    const touched = new Set(rebinds.flatMap(({ from, node }) => [from, node]));
    const ended = plan.steps.filter(({ kind }) => kind === "retire" || kind === "drain" || kind === "end" || kind === "lose");
    for (const step of ended) expect("node" in step && touched.has(step.node)).toBe(false);
  };
  fc.assert(fc.property(withBooting, check), runs);
  expect(moved).toBeGreaterThan(0);
});
