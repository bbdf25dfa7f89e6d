import { jobName, type QueueEntry } from "../../../model/job.ts";
import type { Node } from "../../../model/node.ts";
import type { UnreadableItem } from "../../../model/plan.ts";
import { type Item, maxKeys, type TableAccess } from "../access.ts";
import { readSomeJobs } from "../items/job-item.ts";
import { entryOf } from "../items/queue-item.ts";
import { jobKey } from "../keys.ts";
import { itemName, separated } from "../stored.ts";

/**
 * Returns those of the entries that were set aside whose jobs can be read now, and names the others. If there are very many, each minute
 * looks at other ones.
 */
export async function readableAgain(
  access: TableAccess,
  aside: readonly Item[],
  nowMs: number,
): Promise<ReturnType<typeof separated<QueueEntry>>> {
  if (aside.length === 0) return { read: [], unreadable: [] };
  const turn = aside.length > maxKeys ? (Math.floor(nowMs / 60_000) * maxKeys) % aside.length : 0;
  const inTurn = [...aside.slice(turn), ...aside.slice(0, turn)];
  const { read, unreadable } = separated("queue entry", inTurn.slice(0, maxKeys), entryOf);
  const jobs = await readSomeJobs(access, read);
  const readable = new Set(jobs.read.map(jobName));
  const isNamed = new Set(jobs.unreadable.map(({ key }) => key));
  const missing = read.filter((entry) => !readable.has(jobName(entry)) && !isNamed.has(itemName(jobKey(entry))));
  return {
    read: read.filter((entry) => readable.has(jobName(entry))),
    unreadable: [
      ...unreadable,
      ...jobs.unreadable,
      ...missing.map((entry): UnreadableItem => ({ kind: "job", key: itemName(jobKey(entry)), why: "there is no such item" })),
      ...inTurn
        .slice(maxKeys)
        .map((item): UnreadableItem => ({ kind: "queue entry", key: itemName(item), why: "its job could not be read" })),
    ],
  };
}

/** A node that is ready starts what it was given within seconds, so an attempt that waits for longer may have a job that cannot be read. */
const startsWithinMs = 2 * 60_000;
/** The most such jobs that are read for one decision. */
const maxStuck = 50;

/** Names jobs that nodes hold and do not start because the jobs cannot be read. */
export async function namedStuck(access: TableAccess, nodes: readonly Node[], nowMs: number): Promise<readonly UnreadableItem[]> {
  const idle = nodes.filter(({ state, lastBusyMs }) => state === "ready" && nowMs - lastBusyMs > startsWithinMs);
  const held = idle.flatMap(({ assignments }) => assignments.filter(({ phase }) => phase === "placed")).slice(0, maxStuck);
  return held.length === 0 ? [] : (await readSomeJobs(access, held)).unreadable;
}
