import * as z from "zod";
import type { AttemptRef, SegmentRef } from "../../lib/model/job.ts";
import { JobId, TeamName } from "../names.ts";
import { ObjectCreated } from "./upload.ts";

/**
 * The whole output of an attempt is kept as numbered segments, each of which is a separate gzip file. In the incoming bucket, their keys
 * are `TEAM/JOB/ATTEMPT/log/RANK/NNNNNN.gz`. A sealed segment has the same key followed by `.sealed`.
 */
/** Enough for a segment every 40 s for more than a year. */
const digits = 6;

/** Returns the path of a segment below the attempt's prefix. A sealed segment is bound to this path. */
export const segmentPath = ({ rank, number }: Pick<SegmentRef, "rank" | "number">): string =>
  `log/${rank}/${String(number).padStart(digits, "0")}.gz`;

const attemptPrefix = ({ team, job, attempt }: AttemptRef): string => `${team}/${job}/${attempt}/`;

/** Returns the prefix of the segments of all members of an attempt or, with a rank, of one member. */
export const logPrefix = (attempt: AttemptRef, rank?: number): string =>
  `${attemptPrefix(attempt)}log/${rank === undefined ? "" : `${rank}/`}`;

export const segmentKey = (segment: SegmentRef): string => `${attemptPrefix(segment)}${segmentPath(segment)}`;
export const sealedSegmentKey = (segment: SegmentRef): string => `${segmentKey(segment)}.sealed`;

const pattern = /^([^/]+)\/([^/]+)\/([1-9][0-9]{0,8})\/log\/(0|[1-9][0-9]{0,5})\/([0-9]{6})\.gz(\.sealed)?$/;

/** Returns the segment that has this key, or undefined if it is not the key of a segment. */
export function segmentOfKey(key: string): (SegmentRef & { readonly sealed: boolean }) | undefined {
  const [, team, job, attempt, rank, number, sealed] = pattern.exec(key) ?? [];
  if (!TeamName.safeParse(team).success || !JobId.safeParse(job).success || team === undefined || job === undefined) return undefined;
  return { team, job, attempt: Number(attempt), rank: Number(rank), number: Number(number), sealed: sealed !== undefined };
}

const whole = z.coerce.number().int().min(0);

/** The metadata of a segment's object. */
export const SegmentFacts = z.object({
  /** SHA-256 of the gzip file, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** How many bytes of the log it holds, uncompressed. */
  bytes: whole,
  /** Where in the log these bytes begin: how many bytes were written before, kept or not. */
  offset: whole,
  /** Whether it is the last segment of the log. */
  last: z.stringbool().default(false),
});
export type SegmentFacts = z.infer<typeof SegmentFacts>;

export const segmentMetadata = ({ sha256, bytes, offset, last }: SegmentFacts): Record<string, string> => ({
  sha256,
  bytes: String(bytes),
  offset: String(offset),
  ...(last && { last: "true" }),
});

/** Returns the uploaded segment that a message of the seal queue is about, or undefined if it is about something else. */
export function segmentToSeal(message: unknown): SegmentRef | undefined {
  const created = ObjectCreated.safeParse(message);
  const found = created.success ? segmentOfKey(created.data.detail.object.key) : undefined;
  if (found === undefined || found.sealed) return undefined;
  const { team, job, attempt, rank, number } = found;
  return { team, job, attempt, rank, number };
}
