import * as z from "zod";
import type { AttemptRef, SegmentRef } from "../../lib/model/job.ts";
import { JobId, TeamName } from "../job.ts";
import { ObjectCreated } from "./upload.ts";

/**
 * The whole output of an attempt is kept as numbered segments, each a gzip file of its own. In the incoming bucket they lie at
 * `TEAM/JOB/ATTEMPT/log/RANK/NNNNNN.gz`; sealed, at the same key with `.sealed` behind it.
 */
/** Enough for a segment each 40 s for more than a year. */
const digits = 6;

/** Below the attempt's prefix; a sealed segment is bound to this path. */
export const segmentPath = ({ rank, number }: Pick<SegmentRef, "rank" | "number">): string =>
  `log/${rank}/${String(number).padStart(digits, "0")}.gz`;

const attemptPrefix = ({ team, job, attempt }: AttemptRef): string => `${team}/${job}/${attempt}/`;

/** Of all members of an attempt, or of one. */
export const logPrefix = (attempt: AttemptRef, rank?: number): string =>
  `${attemptPrefix(attempt)}log/${rank === undefined ? "" : `${rank}/`}`;

export const segmentKey = (segment: SegmentRef): string => `${attemptPrefix(segment)}${segmentPath(segment)}`;
export const sealedSegmentKey = (segment: SegmentRef): string => `${segmentKey(segment)}.sealed`;

const pattern = /^([^/]+)\/([^/]+)\/([1-9][0-9]{0,8})\/log\/(0|[1-9][0-9]{0,5})\/([0-9]{6})\.gz(\.sealed)?$/;

/** The segment whose key this is; undefined for any other key. */
export function segmentOfKey(key: string): (SegmentRef & { readonly sealed: boolean }) | undefined {
  const [, team, job, attempt, rank, number, sealed] = pattern.exec(key) ?? [];
  if (!TeamName.safeParse(team).success || !JobId.safeParse(job).success || team === undefined || job === undefined) return undefined;
  return { team, job, attempt: Number(attempt), rank: Number(rank), number: Number(number), sealed: sealed !== undefined };
}

const whole = z.coerce.number().int().min(0);

/** What is written beside a segment, as metadata of its object. */
export const SegmentFacts = z.object({
  /** Of the gzip file, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** How many bytes of the log it holds. */
  bytes: whole,
  /** Where in the log they begin: what was written before, kept or not. */
  offset: whole,
  /** Nothing comes after it. */
  last: z.stringbool().default(false),
});
export type SegmentFacts = z.infer<typeof SegmentFacts>;

export const segmentMetadata = ({ sha256, bytes, offset, last }: SegmentFacts): Record<string, string> => ({
  sha256,
  bytes: String(bytes),
  offset: String(offset),
  ...(last && { last: "true" }),
});

/** The uploaded segment that a message of the seal queue is about; undefined for anything else. */
export function segmentToSeal(message: unknown): SegmentRef | undefined {
  const created = ObjectCreated.safeParse(message);
  const found = created.success ? segmentOfKey(created.data.detail.object.key) : undefined;
  if (found === undefined || found.sealed) return undefined;
  const { team, job, attempt, rank, number } = found;
  return { team, job, attempt, rank, number };
}
