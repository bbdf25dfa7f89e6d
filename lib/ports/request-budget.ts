import type { RequestKind, RequestLane } from "../model/requests/request-limits.ts";

/**
 * How many requests may be made to EC2, for all handlers together. EC2 throttles the account; a call that was refused for
 * its rate costs time and hides who is next, so nobody calls without a turn.
 */
export interface RequestBudget {
  /**
   * Takes one request that is about so many instances. `later`: nothing was taken; come back at that time, which is after
   * `nowMs`. A lower lane is told so while there is still something left for the higher ones. An answer that is lost may
   * have taken; that costs one turn. Clocks need not agree: one that is wrong never gives more than a full bucket.
   */
  take(ask: { kind: RequestKind; lane: RequestLane; instances: number; nowMs: number }): Promise<Turn>;
  /**
   * EC2 has throttled a request of this kind all the same: the budget is emptied for everybody and fills more slowly for
   * a while; several reports within a second count as one. `withinMs`: a time from now in which to come back at random.
   */
  throttled(kind: RequestKind, nowMs: number): Promise<{ readonly withinMs: number }>;
}

export type Turn = { readonly kind: "granted" } | { readonly kind: "later"; readonly atMs: number };
