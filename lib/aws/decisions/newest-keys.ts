import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { allPages } from "../pages.ts";

/** The most listings per page. After them the page ends, and the caller can request the next one. */
const maxListings = 40;

type Range = {
  readonly bucket: string;
  /** The prefix of all keys; `YYYY/MM/DD/HHMMSS…` follows. */
  readonly root: string;
  /** Only keys that sort before `root` followed by this are returned. */
  readonly before?: string | undefined;
  readonly limit: number;
};

/** A key, or a prefix below which all keys have been found (`through`). */
type Found = { readonly key: string } | { readonly through: string };

/**
 * Returns the newest keys of a folder, newest first. Because S3 lists in ascending order only, days are found by their folders,
 * and a day with more keys than one listing holds is divided into hours, minutes and seconds.
 * `before` is where the next page begins, relative to `root`, or undefined if this page has reached the oldest key.
 */
export async function newestKeys(
  s3: Pick<S3Client, "send">,
  range: Range,
): Promise<{ readonly keys: readonly string[]; readonly before?: string | undefined }> {
  const { root, before, limit } = range;
  const keys: string[] = [];
  const bound = before === undefined ? undefined : `${root}${before}`;
  const walk = { s3, ...range, listings: 0, isBefore: (text: string) => bound === undefined || text < bound };
  let end = before;
  for await (const found of downwards(walk, root)) {
    if ("key" in found && keys.length === limit) return { keys, before: end };
    if ("key" in found) keys.push(found.key);
    end = ("key" in found ? found.key : found.through).slice(root.length);
    if (walk.listings >= maxListings && end !== "") return { keys, before: end };
  }
  return { keys };
}

type Walk = {
  readonly s3: Pick<S3Client, "send">;
  readonly bucket: string;
  readonly root: string;
  readonly isBefore: (text: string) => boolean;
  listings: number;
};

const dayLength = "YYYY/MM/DD/".length;

async function* downwards(walk: Walk, prefix: string): AsyncGenerator<Found> {
  const depth = prefix.length - walk.root.length;
  if (depth < dayLength) yield* eachOf(walk, await folders(walk, prefix));
  else {
    const { keys, more } = await listed(walk, prefix);
    if (more) yield* eachOf(walk, parts(prefix, depth === dayLength ? 24 : 60));
    else for (const key of keys.filter(walk.isBefore).toReversed()) yield { key };
  }
  yield { through: prefix };
}

async function* eachOf(walk: Walk, prefixes: readonly string[]): AsyncGenerator<Found> {
  for (const prefix of prefixes.filter(walk.isBefore).toReversed()) yield* downwards(walk, prefix);
}

const parts = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(2, "0")}`);

async function folders(walk: Walk, prefix: string): Promise<string[]> {
  walk.listings += 1;
  const { CommonPrefixes = [] } = await walk.s3.send(new ListObjectsV2Command({ Bucket: walk.bucket, Prefix: prefix, Delimiter: "/" }));
  return CommonPrefixes.flatMap(({ Prefix }) => Prefix ?? []);
}

/** Returns all keys of a prefix, or sets `more` if they are too many for one listing and the prefix can be divided. */
async function listed(walk: Walk, prefix: string): Promise<{ readonly keys: readonly string[]; readonly more: boolean }> {
  const isSecond = prefix.length - walk.root.length >= dayLength + "HHMMSS".length;
  let more = false;
  const keys = await allPages(async (ContinuationToken) => {
    walk.listings += 1;
    const page = await walk.s3.send(new ListObjectsV2Command({ Bucket: walk.bucket, Prefix: prefix, ContinuationToken }));
    more = !isSecond && page.IsTruncated === true;
    return { items: page.Contents?.flatMap(({ Key }) => Key ?? []), next: more ? undefined : page.NextContinuationToken };
  });
  return { keys, more };
}
