import { decide } from "../../lib/decide/decide.ts";
import type { QueueEntry } from "../../lib/model/job.ts";
import type { Launch } from "../../lib/model/launch.ts";
import type { Node } from "../../lib/model/node.ts";
import type { Offer } from "../../lib/model/offer.ts";
import type { Snapshot, Step } from "../../lib/model/plan.ts";
import { wantsOf } from "../../lib/model/wants.ts";

/** Chooses which of a launch's offers EC2 gives; any choice is possible. */
export type Choose = (offers: readonly Offer[]) => Offer | undefined;

export type Settled = { readonly world: Snapshot; readonly rounds: number; readonly failed: readonly QueueEntry[] };

/** Decides and carries out plans at one moment until nothing is left to do. Throws if that takes more than `most` rounds. */
export function settle(start: Snapshot, choose: Choose, most: number): Settled {
  let world = start;
  const failed: QueueEntry[] = [];
  for (let rounds = 0; rounds <= most; rounds += 1) {
    const { steps } = decide(world);
    if (steps.length === 0) return { world, rounds, failed };
    for (const step of steps) {
      if (step.kind === "fail") failed.push(...world.queue.filter((entry) => isOf(step.attempt, entry)));
      world = after(world, step, choose);
    }
  }
  throw new Error(`there was still something to do after ${most} rounds`);
}

/** Ends all running work; two minutes later every worker calls. */
export const whenWorkEnds = (world: Snapshot): Snapshot => {
  const nowMs = world.nowMs + world.pool.idleSeconds * 1000 + 1;
  const node = (each: Node): Node => ({
    ...each,
    state: "ready",
    readyAtMs: each.readyAtMs ?? world.nowMs,
    lastSeenMs: nowMs,
    lastBusyMs: each.assignments.length > 0 ? nowMs : each.lastBusyMs,
    assignments: [],
  });
  return { ...world, nowMs, nodes: world.nodes.map(node) };
};

function after(world: Snapshot, step: Step, choose: Choose): Snapshot {
  switch (step.kind) {
    case "bind":
      return { ...world, queue: without(world.queue, step.entry), nodes: world.nodes.map((node) => given(node, step)) };
    case "bind-gang":
      return { ...world, queue: without(world.queue, step.entry), nodes: world.nodes.map((node) => givenToGang(node, step)) };
    case "rebind":
      return { ...world, nodes: world.nodes.map((node) => rebound(node, step)) };
    case "launch":
      return launched(world, step.launch, choose);
    case "retire":
      return released(world, step.node);
    case "move":
      return { ...world, queue: without(world.queue, step.entry) };
    case "fail":
      return { ...world, queue: without(world.queue, step.attempt) };
    case "hold":
      return { ...world, queue: world.queue.map((entry) => (isOf(step.entry, entry) ? { ...entry, reason: step.because } : entry)) };
    case "heal":
      return { ...world, bootFailures: world.bootFailures?.filter(({ node }) => !step.nodes.includes(node)) };
    case "drain":
    case "undrain":
    case "unbind":
    case "end":
    case "lose":
    case "confirm":
      throw new Error(`nothing dies here, and yet: ${step.kind} ${step.node}, ${step.because}`);
  }
}

const isOf = (a: { team: string; job: string }, b: QueueEntry): boolean => a.team === b.team && a.job === b.job;
const without = (queue: readonly QueueEntry[], of: { team: string; job: string }) => queue.filter((entry) => !isOf(of, entry));

const given = (node: Node, { node: id, entry }: Extract<Step, { kind: "bind" }>): Node => {
  if (node.id !== id) return node;
  const { team, job, attempt } = entry;
  return { ...node, assignments: [...node.assignments, { team, job, attempt, ...wantsOf(entry), phase: "placed" }] };
};

const rebound = (node: Node, { attempt, from, node: to }: Extract<Step, { kind: "rebind" }>): Node => {
  if (node.id === from) return { ...node, assignments: node.assignments.filter((held) => held.job !== attempt.job) };
  return node.id === to ? { ...node, assignments: [...node.assignments, attempt] } : node;
};

const givenToGang = (node: Node, { nodes, entry }: Extract<Step, { kind: "bind-gang" }>): Node => {
  const rank = nodes.indexOf(node.id);
  if (rank < 0) return node;
  const { team, job, attempt } = entry;
  return { ...node, assignments: [...node.assignments, { team, job, attempt, ...wantsOf(entry), phase: "placed", rank }] };
};

function launched(world: Snapshot, launch: Omit<Launch, "id" | "clientToken" | "intendedAtMs">, choose: Choose): Snapshot {
  const offer = choose(launch.offers);
  const type = launch.types.find((each) => each.name === offer?.instanceType);
  if (!offer || !type) throw new Error("a launch without offers, or without their shapes");
  const first = world.nodes.length + 1;
  const at = world.nowMs;
  const nodes = Array.from(
    { length: launch.count },
    (_, n): Node => ({
      id: `i-${at}-${first + n}`,
      pool: launch.pool,
      launch: `launch-${first}`,
      team: launch.team,
      offer,
      type,
      state: "launching",
      launchedAtMs: at,
      lastBusyMs: at,
      stateSinceMs: at,
      assignments: [],
    }),
  );
  const reserved = reserving(world, offer.usdPerHour * launch.count, type.resources.gpus * launch.count);
  return { ...world, nodes: [...world.nodes, ...nodes], reserved };
}

function released(world: Snapshot, id: string): Snapshot {
  const node = world.nodes.find((each) => each.id === id);
  if (!node || node.assignments.length > 0) throw new Error(`node ${id} is retired and is not there, or holds something`);
  const reserved = reserving(world, -node.offer.usdPerHour, -node.type.resources.gpus);
  return { ...world, nodes: world.nodes.filter((each) => each !== node), reserved };
}

/** Millionths of a dollar, as the ledger keeps them. */
const reserving = ({ reserved }: Snapshot, usd: number, gpus: number) => ({
  usdPerHour: Math.round((reserved.usdPerHour + usd) * 1e6) / 1e6,
  gpus: reserved.gpus + gpus,
});
