import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import {
  advance,
  hasMagic,
  isWhole,
  literally,
  type PathName,
  type Pattern,
  patternsOf,
  type Reached,
  start,
} from "../../model/files/glob.ts";
import type { ArtifactRequest } from "../../model/job.ts";

/** A path or glob that a job names as its artifact. */
export type Request = {
  /** The path or glob as the job spells it. */
  readonly name: string;
  readonly required: boolean;
  /** Whether it is a path rather than a glob. */
  readonly isLiteral: boolean;
  readonly patterns: readonly Pattern[];
};

/** How much of each request's patterns a folder's path has matched. `covered`: the request asks for the folder itself. */
export type MatchProgress = ReadonlyMap<Request, "covered" | readonly Reached[]>;

/** How many choices of braces all globs of a job may have together. It is limited because each entry is compared with every choice. */
const maxChoices = 256;

/** Reads a job's artifact requests. A name with glob characters is a plain path if a file of exactly that name exists. */
export async function readRequests(work: string, specs: readonly ArtifactRequest[]): Promise<readonly Request[]> {
  const requests: Request[] = [];
  let choices = maxChoices;
  for (const request of specs) {
    const { path: name, required } = typeof request === "string" ? { path: request, required: false } : request;
    const path = posix.normalize(name);
    const isLiteral = !hasMagic(path) || (await isThere(join(work, path)));
    const patterns = isLiteral ? [literally(path)] : patternsOf(path, choices);
    choices -= patterns.length - 1;
    requests.push({ name, required, isLiteral, patterns });
  }
  return requests;
}

export const beginning = (requests: readonly Request[]): MatchProgress =>
  progressOf(requests.map((request) => [request, request.patterns.map(start)]));

/** Returns the progress for the entry of that name. If it is empty, no request asks for the entry or for anything below it. */
export const step = (progress: MatchProgress, name: PathName): MatchProgress =>
  progressOf(
    [...progress].map(([request, reached]) => [
      request,
      reached === "covered" ? reached : request.patterns.map((pattern, index) => advance(pattern, reached[index] ?? [], name)),
    ]),
  );

/** Returns the progress for an entry without children. It drops globs that could only match something below the entry. */
export const endedAt = (progress: MatchProgress): MatchProgress =>
  new Map([...progress].filter(([request, reached]) => reached === "covered" || request.isLiteral));

/** Returns the requests that ask for an entry itself, and so for everything below it. */
export const coveringRequests = (progress: MatchProgress): readonly Request[] =>
  [...progress].flatMap(([request, reached]) => (reached === "covered" ? [request] : []));

function progressOf(all: readonly (readonly [Request, "covered" | readonly Reached[]])[]): MatchProgress {
  const progress = new Map<Request, "covered" | readonly Reached[]>();
  for (const [request, reached] of all) {
    if (reached === "covered" || reached.some((each, index) => isWholeOf(request, index, each))) progress.set(request, "covered");
    else if (reached.some((each) => each.length > 0)) progress.set(request, reached);
  }
  return progress;
}

function isWholeOf({ patterns }: Request, index: number, reached: Reached): boolean {
  const pattern = patterns[index];
  return pattern !== undefined && isWhole(pattern, reached);
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch {
    return false;
  }
}
