import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../lib/decide/decide.ts";
import { isResponsive } from "../../lib/decide/health/dead-nodes.ts";
import { whyTooLarge, whyUnsold } from "../../lib/decide/placement/impossible.ts";
import type { QueueEntry } from "../../lib/model/job.ts";
import { type Assignment, freeOn, type Node } from "../../lib/model/node.ts";
import type { Plan, Snapshot, Step } from "../../lib/model/plan.ts";
import { fits, sum } from "../../lib/model/values/resources.ts";
import { wantsOf } from "../../lib/model/wants.ts";
import { settle } from "./simulation.ts";
import { stormRuns } from "./storm-runs.ts";
import { snapshot } from "./worlds.ts";

/** Every node several times, as after a gang's launch; an earlier attempt of some jobs is still on a node. */
const crowded: fc.Arbitrary<Snapshot> = fc
  .record({ seen: snapshot, copies: fc.integer({ min: 1, max: 4 }), again: fc.array(fc.nat(24), { maxLength: 12, size: "max" }) })
  .map(({ seen, copies, again }) => {
    const queue = seen.queue.map((entry, n) => (again.includes(n) ? { ...entry, attempt: 2 } : entry));
    const nodes = seen.nodes.flatMap((node) => Array.from({ length: copies }, (_, n): Node => ({ ...node, id: `${node.id}-${n}` })));
    const left = queue.filter((entry) => entry.attempt > 1 && entry.nodes > 1);
    return { ...seen, queue, nodes: nodes.map((node, n) => holding(node, left[n])) };
  });

const holding = (node: Node, entry: QueueEntry | undefined): Node => {
  if (!entry || !fits(entry.needs, freeOn(node))) return node;
  const { team, job } = entry;
  const held: Assignment = { team, job, attempt: 1, ...wantsOf(entry), phase: "running", rank: 1 };
  return { ...node, assignments: [...node.assignments, held] };
};

const runs = { numRuns: stormRuns(2_500) };
const forEveryCrowd = (holds: (seen: Snapshot, plan: Plan) => void): void => {
  fc.assert(
    fc.property(crowded, (seen) => holds(seen, decide(seen))),
    runs,
  );
};
const only = <K extends Step["kind"]>(plan: Plan, kind: K): Extract<Step, { kind: K }>[] =>
  plan.steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);

test("the generated snapshots lead to gangs that are bound, launched for, and held for their last attempt, many times", () => {
  const count = { bound: 0, launched: 0, held: 0 };
  // The seed is fixed, because how often each case occurs is a matter of chance.
  for (const seen of fc.sample(crowded, { numRuns: 500, seed: 7 })) {
    const plan = decide(seen);
    count.bound += only(plan, "bind-gang").length;
    count.launched += only(plan, "launch").filter(({ launch }) => launch.count > 1).length;
    count.held += only(plan, "hold").filter(({ because }) => because.includes("last attempt")).length;
  }
  for (const [what, times] of Object.entries(count)) expect(times, what).toBeGreaterThan(50);
});

test("a gang gets all its nodes or none: different ones that report, of one type, in one zone and of its team", () => {
  forEveryCrowd((seen, plan) => {
    for (const { entry, nodes: ids } of only(plan, "bind-gang")) {
      const nodes = ids.flatMap((id) => seen.nodes.filter((node) => node.id === id));
      expect(nodes).toHaveLength(entry.nodes);
      expect(new Set(ids).size).toBe(entry.nodes);
      expect(new Set(nodes.map((node) => `${node.type.name} in ${node.offer.zone}`)).size).toBe(1);
      for (const node of nodes) {
        expect(isResponsive(node, seen.nowMs)).toBe(true);
        expect(node.team ?? entry.team).toBe(entry.team);
        expect(entry.spot || node.offer.market === "on-demand").toBe(true);
      }
    }
    for (const { entry } of only(plan, "bind")) expect(entry.nodes).toBe(1);
  });
});

test("gangs and other jobs together never overfill a node", () => {
  forEveryCrowd((seen, plan) => {
    const given = plan.steps.flatMap((step) => {
      if (step.kind === "bind") return [step];
      return step.kind === "bind-gang" ? step.nodes.map((node) => ({ node, entry: step.entry })) : [];
    });
    for (const node of seen.nodes) {
      const needs = given.filter((one) => one.node === node.id).map(({ entry }) => entry.needs);
      const room = freeOn(node);
      expect(needs.length === 0 || fits(sum(needs), { ...room, vcpus: room.vcpus + 1e-6, memoryGiB: room.memoryGiB + 1e-6 })).toBe(true);
    }
  });
});

test("a gang's nodes are launched together, for no other job, and never in addition to existing ones", () => {
  forEveryCrowd((seen, plan) => {
    for (const { launch } of only(plan, "launch")) {
      const entries = seen.queue.filter((entry) => launch.jobs.some(({ team, job }) => team === entry.team && job === entry.job));
      if (launch.whole) expect(entries.map((entry) => entry.nodes)).toEqual([launch.count]);
      else for (const entry of entries) expect(entry.nodes).toBe(1);
    }
  });
});

test("a job gets no new attempt while a node holds an old one", () => {
  forEveryCrowd((seen, plan) => {
    const held = new Set(seen.nodes.flatMap((node) => node.assignments.map(({ team, job }) => `${team}/${job}`)));
    for (const step of plan.steps) {
      const jobs = step.kind === "launch" ? step.launch.jobs : step.kind === "bind" || step.kind === "bind-gang" ? [step.entry] : [];
      for (const { team, job } of jobs) expect(held.has(`${team}/${job}`)).toBe(false);
    }
  });
});

test("the same snapshot with gangs gives the same plan, in whatever order it is listed", () => {
  const shuffled = crowded.chain((seen) => fc.record({ seen: fc.constant(seen), queue: shuffle(seen.queue), nodes: shuffle(seen.nodes) }));
  fc.assert(
    fc.property(shuffled, ({ seen, queue, nodes }) => {
      expect(decide({ ...seen, queue, nodes })).toEqual(decide(seen));
    }),
    runs,
  );
});

test("a gang that is alone in its pool and within the limits is placed", () => {
  let placed = 0;
  const alone = snapshot.filter(({ catalogue, queue }) => catalogue !== undefined && queue.some((entry) => entry.nodes > 1));
  fc.assert(
    fc.property(alone, fc.nat(23), (seen, choice) => {
      const [gang] = seen.queue.filter((entry) => entry.nodes > 1);
      const { catalogue, pool } = seen;
      if (!gang || !catalogue) throw new Error("no gang, or no prices");
      fc.pre(!whyTooLarge(gang, pool, catalogue.types) && !whyUnsold(gang, pool, catalogue));
      const empty = { reserved: { usdPerHour: 0, gpus: 0 }, nodes: [], openLaunches: [], refusals: [], spent: { dayUsd: 0, monthUsd: 0 } };
      const start: Snapshot = { ...seen, ...empty, pool: { ...pool, budgets: undefined }, queue: [gang] };
      const { world, rounds } = settle(start, (offers) => offers[choice % offers.length], 4);
      expect(rounds).toBe(2);
      expect(world.queue).toEqual([]);
      expect(world.nodes.map((node) => node.assignments.map(({ job, rank }) => ({ job, rank })))).toEqual(
        world.nodes.map((_, rank) => [{ job: gang.job, rank }]),
      );
      expect(world.nodes).toHaveLength(gang.nodes);
      placed += 1;
    }),
    { numRuns: stormRuns(1_500) },
  );
  expect(placed).toBe(stormRuns(1_500));
});

const shuffle = <T>(all: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });
