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

/** One thing that a job names as its artifact. */
export type Request = {
  /** As the job names it. */
  readonly name: string;
  readonly required: boolean;
  /** It is a path, not a glob. */
  readonly isLiteral: boolean;
  readonly patterns: readonly Pattern[];
};

/** How far a folder's path has come in what the job names: per request, and per pattern of it. */
export type Progress = ReadonlyMap<Request, "covered" | readonly Reached[]>;

/** Choices of braces in all globs of a job together: each entry of its folder is compared with every one. */
const mostChoices = 256;

/** A name that is there literally is meant literally, though it holds characters of a glob. */
export async function readRequests(work: string, asked: readonly ArtifactRequest[]): Promise<readonly Request[]> {
  const requests: Request[] = [];
  let choices = mostChoices;
  for (const request of asked) {
    const { path: name, required } = typeof request === "string" ? { path: request, required: false } : request;
    const path = posix.normalize(name);
    const isLiteral = !hasMagic(path) || (await isThere(join(work, path)));
    const patterns = isLiteral ? [literally(path)] : patternsOf(path, choices);
    choices -= patterns.length - 1;
    requests.push({ name, required, isLiteral, patterns });
  }
  return requests;
}

export const beginning = (requests: readonly Request[]): Progress =>
  progressOf(requests.map((request) => [request, request.patterns.map(start)]));

/** How far the entry of that name has come. Nothing asks for an entry, nor for anything below it, whose progress is empty. */
export const step = (progress: Progress, name: PathName): Progress =>
  progressOf(
    [...progress].map(([request, reached]) => [
      request,
      reached === "covered" ? reached : request.patterns.map((pattern, index) => advance(pattern, reached[index] ?? [], name)),
    ]),
  );

/** What there is to know of an entry that nothing lies below: globs that lead on lead nowhere. */
export const endedAt = (progress: Progress): Progress =>
  new Map([...progress].filter(([request, reached]) => reached === "covered" || request.isLiteral));

/** The requests that ask for an entry itself, and for all below it. */
export const askers = (progress: Progress): readonly Request[] =>
  [...progress].flatMap(([request, reached]) => (reached === "covered" ? [request] : []));

function progressOf(all: readonly (readonly [Request, "covered" | readonly Reached[]])[]): Progress {
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
