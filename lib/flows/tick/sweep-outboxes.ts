import pMap from "p-map";
import { isSilent } from "../../model/heartbeat/heartbeat.ts";
import type { OutboxRef } from "../../model/job.ts";
import { type Node, wasNeverOrdered } from "../../model/node.ts";
import type { Ports } from "../../ports/ports.ts";

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
  const due = turn(outboxesOf(deps.instanceRoleId, { nodes, nowMs }), Math.floor(nowMs / 60_000));
  const failures: { readonly error: unknown }[] = [];
  const sent = await pMap(
    due,
    (outbox) =>
      sendAgain(deps, outbox).catch((error: unknown) => {
        failures.push({ error });
        return false;
      }),
    { concurrency: 16 },
  );
  const [failure] = failures;
  if (failure) throw failure.error;
  return sent.filter(Boolean).length;
}

/** Returns the outboxes that may be on S3: of attempts whose nodes have ended or are silent, and still hold them. */
function outboxesOf(role: string, { nodes, nowMs }: { nodes: readonly Node[]; nowMs: number }): readonly OutboxRef[] {
  const areSilentLooked = Math.floor(nowMs / 60_000) % silentEveryMinutes === 0;
  return nodes
    .filter((node) => node.state === "gone" || (areSilentLooked && isSilent(node, nowMs)))
    .flatMap(({ id, assignments }) =>
      assignments.filter((each) => !wasNeverOrdered(each)).map(({ team, job, attempt }) => ({ role, node: id, team, job, attempt })),
    );
}

/** Returns as many outboxes as one tick looks for, others in each minute if there are more. */
function turn(outboxes: readonly OutboxRef[], minute: number): readonly OutboxRef[] {
  const from = outboxes.length > maxOutboxLooks ? (minute * maxOutboxLooks) % outboxes.length : 0;
  return [...outboxes.slice(from), ...outboxes.slice(0, from)].slice(0, maxOutboxLooks);
}

async function sendAgain({ leftOutboxes, outboxQueue, outboxClaims, now }: SweepOutboxesDeps, outbox: OutboxRef): Promise<boolean> {
  const leftAtMs = await leftOutboxes.leftAtMs(outbox);
  const atMs = now();
  if (leftAtMs === undefined || atMs - leftAtMs < lostAfterMs) return false;
  if (!(await outboxClaims.claim(outbox, { beforeMs: atMs - messageLivesMs, atMs }))) return false;
  try {
    await outboxQueue.send(outbox);
  } catch (error) {
    await outboxClaims.release(outbox);
    throw error;
  }
  return true;
}
