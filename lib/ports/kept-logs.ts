import type { AttemptRef, SegmentRef } from "../model/job.ts";

/** The segments of logs that workers upload, and the sealed segments that are made of them. */
export interface LogSegments {
  /**
   * Checks the checksum of one uploaded segment and encrypts it under its team's key, bound to team, job, attempt, rank and number.
   * Sealing a segment twice has the same effect as once. `missing` and `corrupt` are final. `bytes` are those of the log that it holds.
   */
  seal(segment: SegmentRef): Promise<{ readonly kind: "sealed"; readonly bytes: number } | { readonly kind: "missing" | "corrupt" }>;
  /** Returns the segments of all members of the attempt that are uploaded and not sealed. */
  unsealed(attempt: AttemptRef): Promise<readonly SegmentRef[]>;
}

export type OpenedSegment = {
  /** The gzip file, as the worker made it. */
  readonly gzip: Uint8Array;
  /** How many bytes of the log it holds, uncompressed. */
  readonly bytes: number;
  /** Where in the log these bytes begin. */
  readonly offset: number;
  /** Whether it is the last segment of the log. */
  readonly last: boolean;
};

/** Fetches the kept log of a member of an attempt with the rights of its team. */
export interface KeptLogs {
  /** Returns the sealed segments by number. If a number is left out, that segment is lost or not sealed yet. */
  segments(attempt: AttemptRef, rank: number): Promise<readonly SegmentRef[]>;
  /** Decrypts a segment. Throws a FleetError if the bytes, the key or the context differ from what was sealed. */
  open(segment: SegmentRef): Promise<OpenedSegment>;
}
