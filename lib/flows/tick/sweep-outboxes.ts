import { isSilent } from "../../model/heartbeat/heartbeat.ts";
import type { OutboxRef } from "../../model/job.ts";
import { type Node, wasNeverOrdered } from "../../model/node.ts";
import type { Ports } from "../../ports/ports.ts";
import { settled } from "../node/settled.ts";

export type SweepOutboxesDeps = Pick<Ports, "leftOutboxes" | "outboxQueue" | "outboxClaims"> & {
  /** The unique id of the instances' role. */
  readonly instanceRoleId: string;
  readonly now: () => number;
};

/** S3's event about an outbox arrives within seconds. If an outbox is still not taken in after this long, its event may be lost. */
const lostAfterMs = 120_000;
/** A message is tried for 12 hours, and is then a dead letter. So at most one of the sweep's messages is tried at a time. */
const messageLivesMs = 13 * 3_600_000;
/** Nodes that are silent, but have not ended, are looked at less often, because what they hold is not taken back soon. */
const silentEveryMinutes = 10;
/** The most attempts whose outboxes one tick looks for. Others follow in the next ticks. */
const maxOutboxLooks = 500;

/**
 * Sends a message about each outbox whose event seems to be lost: it has been on S3 for minutes, and its silent or ended node still holds the
 * attempt. What nodes write elsewhere costs nothing here. Returns the number of messages. An outbox that fails does not keep the others; then the
 * first failure is thrown.
 */
export async function sweepOutboxes(deps: SweepOutboxesDeps, nodes: readonly Node[]): Promise<number> {
  const nowMs = deps.now();
  const due = dueOutboxes(nodes, nowMs).map((each) => ({ role: deps.instanceRoleId, ...each }));
  const { done, failures } = await settled(due, { concurrency: 16 }, (outbox) => sendAgain(deps, outbox));
  const [failure] = failures;
  if (failure) throw failure.error;
  return done.filter(Boolean).length;
}

type Held = Omit<OutboxRef, "role">;

/**
 * Returns the attempts whose outboxes one tick looks for: first those of nodes that have ended, because these are soon taken back, then those
 * of silent nodes.
 */
function dueOutboxes(nodes: readonly Node[], nowMs: number): readonly Held[] {
  const minute = Math.floor(nowMs / 60_000);
  const ended = turn(heldOn(nodes.filter(({ state }) => state === "gone")), { turn: minute, most: maxOutboxLooks });
  if (minute % silentEveryMinutes !== 0) return ended;
  const silent = heldOn(nodes.filter((node) => isSilent(node, nowMs)));
  return [...ended, ...turn(silent, { turn: minute / silentEveryMinutes, most: maxOutboxLooks - ended.length })];
}

const heldOn = (nodes: readonly Node[]): readonly Held[] =>
  nodes.flatMap(({ id, assignments }) =>
    assignments.filter((each) => !wasNeverOrdered(each)).map(({ team, job, attempt }) => ({ node: id, team, job, attempt })),
  );

/** Returns at most so many, others in each turn if there are more. */
function turn(held: readonly Held[], { turn: nth, most }: { readonly turn: number; readonly most: number }): readonly Held[] {
  const from = held.length > most ? (nth * most) % held.length : 0;
  return [...held.slice(from), ...held.slice(0, from)].slice(0, most);
}

async function sendAgain({ leftOutboxes, outboxQueue, outboxClaims, now }: SweepOutboxesDeps, outbox: OutboxRef): Promise<boolean> {
  const leftAtMs = await leftOutboxes.leftAtMs(outbox);
  const atMs = now();
  if (leftAtMs === undefined || atMs - leftAtMs < lostAfterMs) return false;
  if (!(await outboxClaims.claim(outbox, { beforeMs: atMs - messageLivesMs, atMs }))) return false;
  try {
    await outboxQueue.send(outbox);
  } catch (error) {
    await outboxClaims.release(outbox, atMs);
    throw error;
  }
  return true;
}
