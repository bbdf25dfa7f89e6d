import type { RequestKind, RequestPriority } from "../model/requests/request-limits.ts";

/**
 * The rate limit of requests to EC2, for all handlers together. EC2 throttles the whole account, and a throttled call costs time and
 * upsets the order of the priorities, so every call must first acquire a turn.
 */
export interface RequestBudget {
  /**
   * Takes one request about `instances` instances. `later`: nothing was taken; the caller should try again at `atMs`, which is after
   * `nowMs`. A request with a lower priority gets `later` while something is still left for the higher ones. If the response is lost, the request may
   * have been taken, which wastes one turn. Clocks need not agree: a wrong clock never gets more than a full bucket.
   */
  acquire(request: { kind: RequestKind; priority: RequestPriority; instances: number; nowMs: number }): Promise<Grant>;
  /**
   * Reports that EC2 has throttled a request of this kind. The budget is emptied for all handlers and fills more slowly for a while;
   * several reports within a second count as one. `withinMs`: the caller should try again at a random time within so many ms.
   */
  throttled(kind: RequestKind, nowMs: number): Promise<{ readonly withinMs: number }>;
}

export type Grant = { readonly kind: "granted" } | { readonly kind: "later"; readonly atMs: number };
