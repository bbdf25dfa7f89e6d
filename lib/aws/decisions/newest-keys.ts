import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { allPages } from "../pages.ts";

/** What a page may cost: so many listings, and then the caller asks for the next page. */
const mostListings = 40;

type Range = {
  readonly bucket: string;
  /** Keys are this and `YYYY/MM/DD/HHMMSS…`. */
  readonly root: string;
  /** Only keys that sort before `root` and this. */
  readonly before?: string | undefined;
  readonly limit: number;
};

/** What one listing found: keys, or folders to look into, the newest first; `key` is undefined for a folder that was looked through. */
type Found = { readonly key: string } | { readonly through: string };

/**
 * The newest keys of a folder by time, newest first. S3 lists upwards only: so the days that are there are found by their
 * folders, and a day of more keys than one listing holds is divided into hours, minutes and seconds.
 * `before`: where the next page begins, as text behind `root`; absent when this one has reached the oldest key.
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
    if (walk.listings >= mostListings && end !== "") return { keys, before: end };
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

/** All keys of a prefix, or `more` when they are too many for one listing and it can be divided. */
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
