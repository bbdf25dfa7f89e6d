import { expect, test } from "vitest";
import { createRateLimiter } from "../../lib/flows/ec2/rate-limiter.ts";
import { handleNodeCall } from "../../lib/flows/handle-node-call.ts";
import { type CarryOutDeps, carryOut } from "../../lib/flows/place/carry-out.ts";
import { loadPool } from "../../lib/flows/pool/load-pool.ts";
import { type AttemptRef, attemptName } from "../../lib/model/job.ts";
import type { Node } from "../../lib/model/node.ts";
import type { Step } from "../../lib/model/plan.ts";
import type { Fence } from "../../lib/ports/pool-ledger.ts";
import type { MemoryInstance } from "../../lib/sim/memory/fleet.ts";
import { fleetWith } from "../fakes/memory-ports.ts";
import { aWorld, type World } from "../unit/flows/world.ts";
import { type Actor, everyOrder, type Gate } from "./interleavings.ts";

/** What ran where, and what EC2 was asked to end while something ran there, which must be nothing. */
type Watched = { readonly world: World; readonly node: string; readonly running: Set<string>; readonly endedAtWork: string[] };

/** A node that ran a job and now holds nothing, as the flows leave it, and its instance. */
async function emptied(): Promise<{ readonly node: Node; readonly instance: MemoryInstance }> {
  const world = aWorld();
  await world.submit("first");
  await world.workOff();
  const { id } = world.node;
  const process = "p1";
  await world.call(id, { process });
  await world.call(id, { process, attempts: [{ team: "vision", job: "first", attempt: 1, phase: "failed", reason: "no", again: false }] });
  await world.workOff();
  const [instance] = world.fleet.live;
  if (!instance) throw new Error("its node has ended");
  return { node: world.node, instance };
}
const { node: empty, instance: its } = await emptied();

/** That node and a waiting job. Two decisions are made about them at once, and the node's worker calls. */
async function arrange(): Promise<Watched> {
  const world = aWorld();
  world.ledger.table.putNode({ ...empty });
  world.ledger.table.reserve(empty, { microUsd: empty.offer.usdPerHour * 1e6, gpus: empty.type.resources.gpus });
  world.fleet.instances.set(its.id, { ...its });
  await world.submit("late");
  return { world, node: empty.id, running: new Set(), endedAtWork: [] };
}

/** Every call of these ports is a step. */
const gated = <T extends object>(port: T, name: string, gate: Gate): T =>
  new Proxy(port, {
    get(target, method) {
      const own: unknown = Reflect.get(target, method);
      if (typeof own !== "function") return own;
      return (...args: unknown[]): Promise<unknown> =>
        gate(`${name}.${String(method)}`, async (): Promise<unknown> => await Reflect.apply(own, target, args));
    },
  });

function placing({ world, node, running, endedAtWork }: Watched, gate: Gate): CarryOutDeps {
  const { decisions, placements, fleet } = world.placeDeps;
  const terminate: typeof fleet.terminate = (ids) => {
    if (ids.includes(node)) endedAtWork.push(...running);
    return fleet.terminate(ids);
  };
  return {
    ...world.placeDeps,
    rateLimiter: createRateLimiter(world.placeDeps),
    decisions: gated(decisions, "decisions", gate),
    placements: gated(placements, "placements", gate),
    fleet: gated(fleetWith(fleet, { terminate }), "fleet", gate),
  };
}

/** A decision whose snapshot is older than the job or its assignment: it retires the node. */
const retires = (watched: Watched, fence: Fence, snapshot: Parameters<typeof carryOut>[2]["snapshot"]): Actor => ({
  name: "retires",
  async run(gate) {
    const steps: Step[] = [{ kind: "retire", node: watched.node, because: "idle" }];
    await carryOut(placing(watched, gate), fence, { snapshot, steps });
  },
});

/** A decision that gives the job to the node. With its own fence it is a later one. */
const binds = (watched: Watched, of: Fence | "its own", snapshot: Parameters<typeof carryOut>[2]["snapshot"]): Actor => ({
  name: "binds",
  async run(gate) {
    const deps = placing(watched, gate);
    const fence = of === "its own" ? (await deps.decisions.begin("gpu")).fence : of;
    const [entry] = snapshot.queue;
    if (!entry) throw new Error("nothing waits");
    await carryOut(deps, fence, { snapshot, steps: [{ kind: "bind", entry, node: watched.node, because: "it has room" }] });
  },
});

/** Calls twice, follows its orders, and starts a job as soon as it is ordered. */
const works = ({ world, node, running }: Watched, calls: number): Actor => ({
  name: "works",
  async run(gate) {
    const deps = { ...world.nodeCallDeps, nodeLedger: gated(world.nodeCallDeps.nodeLedger, "nodeLedger", gate) };
    const held = new Map<string, AttemptRef>();
    for (let call = 0; call < calls; call += 1) {
      const attempts = [...held.values()].map((ref) => ({ ...ref, phase: "running" as const, startedAtMs: world.nowMs }));
      const response = await handleNodeCall(deps, node, world.report(node, { attempts }));
      if (response.kind === "shutdown") return running.clear();
      if (response.kind !== "orders") return;
      for (const { team, job, attempt, kind } of response.orders) {
        const ref = { team, job, attempt };
        if (kind === "run") {
          held.set(attemptName(ref), ref);
          running.add(attemptName(ref));
        } else running.delete(attemptName(ref));
      }
    }
  },
});

/** Checks that no work ended with its node, and that the job is either on a node that stays, or waits. */
function expectSafe({ world, node, running, endedAtWork }: Watched, order: readonly string[]): void {
  const story = order.join("\n");
  expect(endedAtWork, story).toEqual([]);
  const ends = world.fleet.live.length === 0;
  const job = world.job("late");
  const its = [...world.ledger.table.nodes.values()].find((row) => row.node.id === node)?.node;
  expect(["draining", "terminating"].includes(its?.state ?? ""), story).toBe(ends || its?.state === "draining");
  if (ends) {
    expect([...running], story).toEqual([]);
    expect(job?.state, story).toBe("queued");
  } else if (job?.state !== "queued") {
    expect(job?.node, story).toBe(node);
    expect(its?.state, story).toBe("ready");
    expect(its?.assignments, story).toHaveLength(1);
  }
}

async function race(of: "one decision" | "two decisions", calls: number): Promise<{ orders: number; outcomes: Set<string> }> {
  const outcomes = new Set<string>();
  const orders = await everyOrder(
    async () => {
      const world = await arrange();
      const { decisions } = world.world.ledger;
      const { fence } = await decisions.begin("gpu");
      const { nowMs, pool } = world.world;
      const snapshot = { nowMs, pool, ...(await loadPool({ decisions }, "gpu", nowMs)) };
      const actors = [
        retires(world, fence, snapshot),
        binds(world, of === "one decision" ? fence : "its own", snapshot),
        works(world, calls),
      ];
      return { world, actors };
    },
    (watched, order) => {
      expectSafe(watched, order);
      outcomes.add(`${watched.world.job("late")?.state}, ${watched.world.fleet.live.length} live`);
    },
  );
  return { orders, outcomes };
}

test("a node that is retired while a decision gives it work and its worker calls never ends with that work", async () => {
  const { orders, outcomes } = await race("one decision", 5);
  expect(orders).toBeGreaterThan(500);
  expect([...outcomes].sort()).toEqual(["placed, 1 live", "queued, 0 live", "running, 1 live"]);
});

test("a retired node never ends with work that a later decision gives it, in whatever order their calls arrive", async () => {
  const { orders, outcomes } = await race("two decisions", 4);
  expect(orders).toBeGreaterThan(500);
  expect([...outcomes].sort()).toEqual(["placed, 1 live", "queued, 0 live", "queued, 1 live", "running, 1 live"]);
});
