import type { AttemptRef } from "../model/job.ts";
import type { Reservation } from "../model/launch.ts";
import type { Market } from "../model/offer.ts";
import type { Packing } from "../model/plan.ts";

/** One step as the journal recorded it. */
export type RecordedStep = {
  readonly kind: string;
  /** The teams whose jobs the step is about; empty if it is only about nodes. */
  readonly teams: readonly string[];
  /** The attempt that the step is about; undefined if it is not about one attempt. */
  readonly attempt?: AttemptRef | undefined;
  /** The nodes that the step is about. */
  readonly nodes: readonly string[];
  readonly launch?:
    | {
        readonly market: Market;
        readonly instanceTypes: readonly string[];
        readonly count: number;
        readonly reserved: Reservation;
        readonly jobs: number;
      }
    | undefined;
  readonly because: string;
  /** The outcome of the step; undefined if the record has none. */
  readonly outcome?: string | undefined;
};

/** A decision as people see it: what it saw, in numbers, and what it did. */
export type RecordedDecision = {
  /** `YYYYMMDD-HHMMSS.mmmZ-…`: contains the decision's time in UTC, so that ids sort by time and one read finds the record. */
  readonly id: string;
  readonly pool: string;
  readonly epoch: number;
  readonly atMs: number;
  readonly causes: readonly string[];
  readonly queued: number;
  readonly nodes: number;
  readonly reserved: Reservation;
  readonly steps: readonly RecordedStep[];
  readonly wakeAtMs?: number | undefined;
  /** How the jobs that will share new nodes were packed; undefined if none were. */
  readonly packing?: Omit<Packing, "steps"> | undefined;
};

export const decisionId = /^\d{8}-\d{6}\.\d{3}Z-[A-Za-z0-9-]{1,64}$/;

/** Where a page of decisions ends: an id, or the first characters of one. */
export const decisionCursor = /^\d{4}(?:\d{2}(?:\d{2}(?:-(?:(?:\d{2}){1,3}|\d{6}\.\d{3}Z-[A-Za-z0-9-]{1,64}))?)?)?$/;

/** Reads the recorded decisions. */
export interface DecisionReader {
  /**
   * Returns the pool's decisions, newest first, beginning with the newest one before `cursor`. A page may hold fewer than `limit`,
   * even none, and still have a cursor. There are no more decisions if the page has no cursor.
   */
  page(
    pool: string,
    from: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ readonly decisions: readonly RecordedDecision[]; readonly cursor?: string | undefined }>;
  /** Returns the decision of that id, or undefined if there is none. */
  get(pool: string, id: string): Promise<RecordedDecision | undefined>;
}
