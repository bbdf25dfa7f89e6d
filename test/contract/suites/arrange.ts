import { expect } from "vitest";
import { callNumber, type Sign } from "../../../lib/model/heartbeat/heartbeat.ts";
import { type Job, type QueueEntry, waiting } from "../../../lib/model/job.ts";
import type { Launch } from "../../../lib/model/launch.ts";
import type { Node } from "../../../lib/model/node.ts";
import type { ReportedOn } from "../../../lib/ports/node-ledger.ts";
import type { Fence, Written } from "../../../lib/ports/pool-ledger.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { aJob, aLaunch, aNode, aSpec, monday } from "../../fakes/builders.ts";

/** Returns an empty ledger. */
export type MakeLedger = () => Promise<LedgerPorts>;

export const plenty = { pool: { usdPerHour: 1000, gpus: 1000 } };

export const begin = async (ledger: LedgerPorts, pool = "gpu"): Promise<Fence> => (await ledger.decisions.begin(pool)).fence;

/** Long after everything else that these tests do. */
export const longAfter = monday + 1_020_001;

/** Admits a job, and returns it with its queue entry. */
export async function admitted(ledger: LedgerPorts, over: Partial<Job> = {}): Promise<{ job: Job; entry: QueueEntry }> {
  const job = aJob(over);
  expect(await ledger.admissions.admit(job)).toMatchObject({ kind: "created" });
  return { job, entry: waiting({ ...job, spec: job.spec ?? aSpec() }) };
}

/** Adds nodes to the pool as `place` does, by an intent that is settled. Returns them as `launching`. */
export async function launched(ledger: LedgerPorts, fence: Fence, nodes: readonly Node[]): Promise<Launch> {
  const [first] = nodes;
  const reserved = {
    usdPerHour: nodes.reduce((sum, node) => sum + node.offer.usdPerHour, 0),
    gpus: nodes.reduce((sum, node) => sum + node.type.resources.gpus, 0),
  };
  const launch = aLaunch({ id: `for-${first?.id}`, clientToken: `for-${first?.id}`, pool: fence.pool, reserved });
  expect(await ledger.placements.intend(fence, launch, plenty)).toBe("done");
  expect(await ledger.placements.settle(fence, { launch, nodes, atMs: monday })).toBe("done");
  return launch;
}

/** Returns a node as it is when its launch is settled. */
export function newNode(over: Partial<Node> = {}): Node {
  const { readyAtMs: _ready, lastSeenMs: _seen, ...node } = aNode({ state: "launching", stateSinceMs: monday, ...over });
  return { ...node };
}

/** Returns a node by its id. */
export const nodeAt = (id: string): Node => newNode({ id });

/** Adds a ready node to the pool. */
export async function readyNode(ledger: LedgerPorts, fence: Fence, over: Partial<Node> = {}): Promise<Node> {
  const node = newNode({ pool: fence.pool, ...over });
  await launched(ledger, fence, [node]);
  return firstCall(ledger, node, monday + 60_000);
}

/** Begins the first session of a node's worker, and makes its first call. Returns the node. */
export async function firstCall(ledger: LedgerPorts, { pool, id }: Pick<Node, "pool" | "id">, atMs: number): Promise<Node> {
  expect(await ledger.nodeLedger.begin(pool, id, atMs)).toEqual({ kind: "session", session: 1 });
  const seen = await ledger.nodeLedger.seen(pool, id, callAt(atMs));
  if (seen.kind !== "node") throw new Error(`${id} is ${seen.kind}`);
  return seen.node;
}

/** Returns a call of the first session of a node's worker. Later calls have higher numbers. */
export const callAt = (atMs: number, over: Partial<Sign> = {}): Sign => ({
  session: 1,
  sequence: Math.max(1, atMs - monday),
  atMs,
  ...over,
});

/** Returns where and when the process `p1` of the first session reports something. */
export const reportedOn = (node: string, atMs: number, process = "p1"): ReportedOn => ({
  pool: "gpu",
  node,
  atMs,
  process,
  call: callNumber(callAt(atMs)),
});

/** Places a job on a node of its own, which most tests of a job's life start from. */
export async function placed(
  ledger: LedgerPorts,
  over: Partial<Job> = {},
): Promise<{ fence: Fence; node: Node; job: Job; entry: QueueEntry }> {
  const { job, entry } = await admitted(ledger, over);
  const fence = await begin(ledger, job.pool);
  const node = await readyNode(ledger, fence);
  expect(await ledger.placements.bind(fence, { entry, node, atMs: monday + 61_000 })).toBe("done");
  return { fence, node, job, entry };
}

/** The same after the job's program has exited successfully: it uploads and waits to be sealed. */
export async function sealing(ledger: LedgerPorts, over: Partial<Job> = {}): ReturnType<typeof placed> {
  const all = await placed(ledger, over);
  const on = reportedOn(all.node.id, monday + 90_000);
  const attempt = { team: all.job.team, job: all.job.job, attempt: 1 };
  const job = { from: "placed", to: "sealing", exitCode: 0, startedAtMs: monday + 62_000, failed: false } as const;
  expect(await ledger.nodeLedger.change(on, { attempt, job, assignment: "uploading" })).toBe("done");
  return all;
}

export const only = <T>(all: readonly T[]): T => {
  const [first] = all;
  if (all.length !== 1 || first === undefined) throw new Error(`expected exactly one of ${all.length}`);
  return first;
};

/** Takes an attempt back from a node whose instance has ended. */
export async function takeBackLost(
  ledger: LedgerPorts,
  fence: Fence,
  back: Parameters<LedgerPorts["placements"]["takeBack"]>[1],
): Promise<Written> {
  await ledger.nodeLedger.gone(back.node, back.atMs);
  return ledger.placements.takeBack(fence, back);
}
