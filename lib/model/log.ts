import type { AttemptRef } from "./job.ts";

/** One part of what a member of an attempt wrote. The rank of a plain job is 0; numbers begin at 0. */
export type SegmentRef = AttemptRef & { readonly rank: number; readonly number: number };
