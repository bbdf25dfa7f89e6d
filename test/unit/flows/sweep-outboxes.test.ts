import { describe, expect, test } from "vitest";
import { takeOutbox } from "../../../lib/flows/take-outbox.ts";
import { sweepOutboxes } from "../../../lib/flows/tick/sweep-outboxes.ts";
import { tick } from "../../../lib/flows/tick.ts";
import type { OutboxRef } from "../../../lib/model/job.ts";
import type { Node } from "../../../lib/model/node.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aNode, anAssignment, aPool, monday } from "../../fakes/builders.ts";
import { onInstance, stateChange } from "./news.ts";
import { aWorld } from "./world.ts";

const role = "AROAINSTANCEROLE";
const minute = 60_000;
const exited = { phase: "exited", startedAtMs: 1, exitCode: 0, uploads: true } as const;

/** A world in which these nodes are known, and their attempts may have left outboxes. */
function swept(nodes: readonly Node[]) {
  const world = aWorld();
  const { outboxes, outboxQueue } = world.ports;
  const refOf = (node: Node, n = 0) => {
    const { team, job, attempt } = node.assignments[n] ?? anAssignment();
    return { role, node: node.id, team, job, attempt };
  };
  return {
    world,
    outboxes,
    outboxQueue,
    refOf,
    leave: (node: Node, n = 0) => outboxes.leave(refOf(node, n), { process: "p", report: exited, files: {} }),
    sweep: () => sweepOutboxes(world.deps, nodes),
    sent: () => outboxQueue.sent.map(({ node, job }) => `${node} ${job}`),
  };
}

const ended = (id: string, ...jobs: readonly string[]): Node =>
  aNode({
    id,
    state: "gone",
    lastSeenMs: monday - 3_600_000,
    assignments: jobs.map((job) => anAssignment({ job, phase: "running", orderedAtMs: 1 })),
  });

describe("a sweep of the outboxes on S3", () => {
  test("a message is sent about an outbox that is not taken in after two minutes, and none again while that message is tried", async () => {
    const node = ended("i-1", "a", "b");
    const { world, leave, sweep, sent } = swept([node]);
    leave(node);
    world.nowMs += 2 * minute - 1;
    expect([await sweep(), sent()]).toEqual([0, []]);
    world.nowMs += 1;
    expect([await sweep(), sent()]).toEqual([1, ["i-1 a"]]);
    for (let minutes = 0; minutes < 5; minutes += 1) {
      world.nowMs += minute;
      expect(await sweep()).toBe(0);
    }
    leave(node, 1);
    world.nowMs += 2 * minute;
    expect([await sweep(), sent()]).toEqual([1, ["i-1 a", "i-1 b"]]);
    // A message is tried for twelve hours.
    world.nowMs += 13 * 3_600_000 + 1;
    expect(await sweep()).toBe(2);
  });

  test("only attempts that a silent or ended node still holds are looked for, those of silent nodes every ten minutes", async () => {
    const held = [anAssignment({ phase: "running", orderedAtMs: 1 })];
    const heard = aNode({ id: "i-heard", state: "ready", lastSeenMs: monday + 20 * minute, assignments: held });
    const silent = aNode({ id: "i-silent", state: "ready", lastSeenMs: monday - 3_600_000, assignments: held });
    const bare = ended("i-bare");
    const unordered = { ...ended("i-unordered"), assignments: [anAssignment({ phase: "placed" })] };
    const nodes = [heard, silent, bare, unordered];
    const { world, outboxes, leave, sweep, sent } = swept(nodes);
    for (const node of nodes) leave(node);
    for (let minutes = 1; minutes <= 12; minutes += 1) {
      world.nowMs = monday + minutes * minute;
      await sweep();
    }
    expect(sent()).toEqual(["i-silent train-1"]);
    expect(outboxes.interruptions.calls.leftAtMs).toBe(1);
  });

  test("a message that could not be sent is sent by the next tick, and an outbox that fails does not keep the others", async () => {
    const nodes = [ended("i-1", "a"), ended("i-2", "a"), ended("i-3", "a")];
    const { world, outboxes, outboxQueue, leave, sweep, sent } = swept(nodes);
    for (const node of nodes) leave(node);
    world.nowMs += 2 * minute;
    outboxQueue.interruptions.failBefore("send");
    await expect(sweep()).rejects.toMatchObject({ retry: true });
    expect(sent().toSorted()).toEqual(["i-2 a", "i-3 a"]);
    outboxes.interruptions.failBefore("leftAtMs");
    await expect(sweep()).rejects.toMatchObject({ retry: true });
    expect(await sweep()).toBe(1);
    expect(sent().toSorted()).toEqual(["i-1 a", "i-2 a", "i-3 a"]);
  });

  test("a tick looks for a bounded number of outboxes, and the next ones for the others", async () => {
    const jobs = Array.from({ length: 1_200 }, (_, n) => `job-${n}`);
    const node = ended("i-1", ...jobs);
    const { world, outboxes, leave, sweep, sent } = swept([node]);
    for (const n of jobs.keys()) leave(node, n);
    world.nowMs += 2 * minute;
    await sweep();
    expect(outboxes.interruptions.calls.leftAtMs).toBe(500);
    for (let ticks = 0; ticks < 6; ticks += 1) {
      world.nowMs += minute;
      await sweep();
    }
    expect(new Set(sent()).size).toBe(1_200);
  });

  test.each([
    ["is configured", [aPool()]],
    ["was removed from the configuration", [aPool({ name: "other" })]],
  ])("the tick makes up for a lost event before the work of the node is taken back, if its pool %s", async (_what, pools) => {
    const world = aWorld();
    await world.submit("a");
    await world.workOff();
    const { id } = world.node;
    const of = { team: "vision", job: "a", attempt: 1 };
    await world.call(id, { attempts: [{ ...of, phase: "running", startedAtMs: 1 }] });
    await world.workOff();
    world.nowMs += 3_600_000;
    const { outboxes, outboxQueue } = world.ports;
    outboxes.leave({ role, node: id, ...of }, { process: "p", report: { ...of, ...exited, exitCode: 3 }, files: {} });
    await onInstance(world, stateChange(id, "terminated"));
    const instances = new MemoryTaggedInstances(world.fleet, () => monday);
    const deps = { ...world.deps, pools, teams: ["vision"], instances };
    await world.ledger.registry.add("gpu");
    for (let minutes = 0; minutes < 3 && outboxQueue.sent.length === 0; minutes += 1) {
      world.nowMs += minute;
      await world.workOff();
      expect(await tick(deps)).toMatchObject({ errors: [] });
    }
    const [sent] = outboxQueue.sent;
    expect(sent).toEqual({ role, node: id, ...of });
    expect(sent && (await takeOutbox(world.deps, sent))).toEqual({ kind: "taken", phase: "exited" });
    expect(world.job("a")).toMatchObject({ state: "failed", exitCode: 3, attempt: 1 });
  });
});

test.each([600, 625, 1_000, 1_250, 2_000])("the outboxes of %d attempts on silent nodes are all looked for within a day", async (count) => {
  const nodes = Array.from({ length: count }, (_, n) =>
    aNode({
      id: `i-${n}`,
      lastSeenMs: monday - 3_600_000,
      assignments: [anAssignment({ job: `job-${n}`, phase: "running", orderedAtMs: 1 })],
    }),
  );
  const { world } = swept(nodes);
  const looked = new Set<string>();
  const leftOutboxes = { leftAtMs: async ({ node }: OutboxRef) => void looked.add(node) };
  for (let n = 0; n < 24 * 60; n += 10) await sweepOutboxes({ ...world.deps, leftOutboxes, now: () => monday + n * minute }, nodes);
  expect(looked.size).toBe(count);
});

test("outboxes on nodes that have ended are looked for in each minute, however many nodes are silent", async () => {
  const silent = Array.from({ length: 2_000 }, (_, n) => ({ ...ended(`i-s${n}`, `s${n}`), state: "ready" as const }));
  const nodes = [...silent, ended("i-0e", "e")];
  const { world } = swept(nodes);
  const looked: string[] = [];
  const leftOutboxes = { leftAtMs: async ({ node }: OutboxRef) => void looked.push(node) };
  for (let n = 0; n < 20; n += 1) await sweepOutboxes({ ...world.deps, leftOutboxes, now: () => monday + n * minute }, nodes);
  expect(looked.filter((node) => node === "i-0e")).toHaveLength(20);
});
