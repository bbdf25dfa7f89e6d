import type { AttemptRef } from "../model/job.ts";
import type { Reservation } from "../model/launch.ts";
import type { Market } from "../model/offer.ts";
import type { Packing } from "../model/plan.ts";

/** One step as it is on record. */
export type RecordedStep = {
  readonly kind: string;
  /** Whose jobs it is about; none for a step that is about a node only. */
  readonly teams: readonly string[];
  /** The attempt that it is about. */
  readonly attempt?: AttemptRef | undefined;
  /** That it is about. */
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
  /** What came of it; absent when the record says nothing. */
  readonly outcome?: string | undefined;
};

/** A decision as people look at it: what it saw, in numbers, and what it did. */
export type RecordedDecision = {
  /** `YYYYMMDD-HHMMSS.mmmZ-…`: names its time, in UTC, so that ids sort by time and one read finds the record. */
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
  /** How the jobs that are to share new nodes were packed; absent when none were. */
  readonly packing?: Omit<Packing, "steps"> | undefined;
};

export const decisionId = /^\d{8}-\d{6}\.\d{3}Z-[A-Za-z0-9-]{1,64}$/;

/** Where a page of decisions ends: an id, or the beginning of one. */
export const decisionCursor = /^\d{4}(?:\d{2}(?:\d{2}(?:-(?:(?:\d{2}){1,3}|\d{6}\.\d{3}Z-[A-Za-z0-9-]{1,64}))?)?)?$/;

/** Reads the decisions on record. */
export interface DecisionReader {
  /**
   * Newest first, from the first one before `cursor` on. A page may hold fewer than `limit`, even none, and still have a
   * cursor; without one there are no more.
   */
  page(
    pool: string,
    from: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ readonly decisions: readonly RecordedDecision[]; readonly cursor?: string | undefined }>;
  get(pool: string, id: string): Promise<RecordedDecision | undefined>;
}
