import { type AttemptRef, isEnded, type JobState, type QueueEntry } from "../job.ts";
import type { Node } from "../node.ts";
import { exactly } from "../reservations.ts";

/** How an attempt ended. Only `failed` counts against the job's retries; an `interrupted` attempt lost its node or had to leave it. */
export const attemptEnds = ["succeeded", "failed", "cancelled", "interrupted"] as const;
export type AttemptEnd = (typeof attemptEnds)[number];

/** The record of one attempt of a job. It begins when the attempt is bound to its nodes and is kept for 30 days after its end. */
export type Attempt = {
  readonly attempt: number;
  readonly pool: string;
  /** By rank; one for a job that is no gang. */
  readonly nodes: readonly string[];
  readonly instanceType: string;
  readonly zone: string;
  readonly market: Node["offer"]["market"];
  /** The attempt's share of the price of its nodes, USD/h. */
  readonly usdPerHour: number;
  readonly placedAtMs: number;
  /** When its program was started; undefined if it has not been, as far as the worker reported. */
  readonly startedAtMs?: number | undefined;
  /** When its program ended or was given up, ms since the epoch. Its files may still be uploaded and sealed. */
  readonly endedAtMs?: number | undefined;
  /** Undefined while it runs and while its files are being sealed. */
  readonly end?: AttemptEnd | undefined;
  readonly exitCode?: number | undefined;
  /** Why it ended, in words for the team; undefined if there is nothing to say. */
  readonly reason?: string | undefined;
};

/** A node that gets an attempt. */
export type AttemptNode = Pick<Node, "id" | "offer" | "type">;

/** Returns the record of an attempt that is bound to these nodes, by rank. Throws if there is none. */
export function newAttempt(
  { attempt, needs }: Pick<QueueEntry, "attempt" | "needs">,
  on: { pool: string; nodes: readonly AttemptNode[]; atMs: number },
): Attempt {
  const { pool, nodes, atMs } = on;
  const [first] = nodes;
  if (!first) throw new Error(`attempt ${attempt} is bound to no node`);
  const { instanceType, zone, market } = first.offer;
  const usdPerHour = nodes.reduce((sum, node) => sum + node.offer.usdPerHour * shareOf(node, needs), 0);
  return { attempt, pool, nodes: nodes.map(({ id }) => id), instanceType, zone, market, usdPerHour: exactly(usdPerHour), placedAtMs: atMs };
}

/** Returns the largest share that the needs take of any of the node's resources, 0 to 1: the rest of the node is left to other jobs. */
function shareOf({ type }: AttemptNode, needs: QueueEntry["needs"]): number {
  const { resources } = type;
  const shares = [
    needs.vcpus / resources.vcpus,
    needs.memoryGiB / resources.memoryGiB,
    resources.gpus > 0 ? needs.gpus / resources.gpus : 0,
  ];
  return Math.min(1, Math.max(...shares));
}

/** What a change of a job's state adds to the record of its attempt. `startedAtMs` and `endedAtMs` do not replace earlier ones. */
export type AttemptNews = Partial<Pick<Attempt, "startedAtMs" | "endedAtMs" | "end" | "exitCode" | "reason">>;

export function attemptNews(
  to: { state: JobState; reason?: string | undefined; exitCode?: number | undefined; startedAtMs?: number | undefined; failed?: boolean },
  atMs: number,
): AttemptNews {
  const goesOn = to.state === "placed" || to.state === "running";
  return {
    startedAtMs: to.startedAtMs,
    exitCode: to.exitCode,
    reason: to.reason,
    endedAtMs: goesOn ? undefined : atMs,
    end: endOf(to.state, to.failed === true),
  };
}

function endOf(state: JobState, failed: boolean): AttemptEnd | undefined {
  if (state === "queued") return failed ? "failed" : "interrupted";
  return isEnded(state) && state !== "rejected" ? (state as AttemptEnd) : undefined;
}

/** Returns what an attempt has cost until its end, or until `nowMs` if it goes on, USD. */
export const attemptCost = ({ usdPerHour, placedAtMs, endedAtMs }: Attempt, nowMs: number): number =>
  (usdPerHour * Math.max(0, (endedAtMs ?? nowMs) - placedAtMs)) / 3_600_000;

/** A page of a job's attempts, newest first. */
export type AttemptPage = { readonly attempts: readonly Attempt[]; readonly before?: number | undefined };
export type AttemptQuery = Pick<AttemptRef, "team" | "job"> & { readonly limit: number; readonly before?: number | undefined };
