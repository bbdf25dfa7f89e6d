import type { AttemptRef, SegmentRef } from "../model/job.ts";

/** Segments of logs as workers leave them, and as they rest. */
export interface LogSegments {
  /**
   * Encrypts one uploaded segment under its team's key, bound to team, job, attempt, rank and number, after checking its checksum.
   * Doing it twice leaves one. `missing` and `corrupt` are final.
   */
  seal(segment: SegmentRef): Promise<{ readonly kind: "sealed"; readonly bytes: number } | { readonly kind: "missing" | "corrupt" }>;
  /** Segments of the attempt, of all its members, that are uploaded and not sealed. */
  unsealed(attempt: AttemptRef): Promise<readonly SegmentRef[]>;
}

export type OpenedSegment = {
  /** The gzip file, as the worker made it. */
  readonly gzip: Uint8Array;
  /** How many bytes of the log it holds, and where in the log they begin. */
  readonly bytes: number;
  readonly offset: number;
  /** Nothing comes after it. */
  readonly last: boolean;
};

/** Fetches the kept log of a member of an attempt, for its team. */
export interface KeptLogs {
  /** In their order. A number that is left out is a segment that is lost, or not sealed yet. */
  segments(attempt: AttemptRef, rank: number): Promise<readonly SegmentRef[]>;
  /** Throws a Fault when the bytes, the key or the context are not what was sealed. */
  open(segment: SegmentRef): Promise<OpenedSegment>;
}
