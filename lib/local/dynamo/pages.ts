import { byBytes, type Given, meets, namesIn } from "./expressions.ts";
import { itemBytes, type PlainItem } from "./item-bytes.ts";
import type { Items } from "./items.ts";

/** The fields of a query that matter here. */
export type Query = Given & {
  readonly IndexName?: string | undefined;
  readonly KeyConditionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly Limit?: number | undefined;
  readonly ScanIndexForward?: boolean | undefined;
  readonly ExclusiveStartKey?: PlainItem | undefined;
};

/** DynamoDB reads at most 1 MB per page. */
const maxPageBytes = 1024 * 1024;

/** `bytes`: the size of all items that were read, with those that the filter removed. `last`: where the next page begins. */
export type QueryPage = { readonly page: readonly PlainItem[]; readonly bytes: number; readonly last: PlainItem | undefined };

/** Returns one page of a query. */
export function pageOf(items: Items, query: Query): QueryPage {
  const { IndexName, KeyConditionExpression, FilterExpression, Limit = Number.POSITIVE_INFINITY, ScanIndexForward = true } = query;
  const candidates = IndexName === undefined ? items.partition(partitionOf(query)) : items.indexed(IndexName);
  const found = candidates.filter((item) => meets(item, KeyConditionExpression, query));
  const ordered = ScanIndexForward ? found : found.toReversed();
  const start = startOf(ordered, query.ExclusiveStartKey, query);
  let [end, bytes] = [start, 0];
  while (end < ordered.length && end - start < Limit && bytes < maxPageBytes) {
    bytes += itemBytes(ordered[end] ?? {});
    end += 1;
  }
  const read = ordered.slice(start, end);
  const lastRead = read.at(-1);
  // With a limit, DynamoDB names the last item even if it was the last one of all.
  const goesOn = end < ordered.length || (read.length > 0 && read.length === Limit);
  return {
    page: read.filter((item) => meets(item, FilterExpression, query)).map((item) => projected(item, query)),
    bytes,
    last: goesOn && lastRead ? keysOf(lastRead, IndexName) : undefined,
  };
}

/** Returns the partition that a query reads. */
function partitionOf({ KeyConditionExpression = "", ...given }: Query): string {
  for (const [, name = "", value = ""] of KeyConditionExpression.matchAll(/(#\d+) = (:\d+)/g))
    if (namesIn(name, given)[0] === "pk") return String(given.ExpressionAttributeValues?.[value]);
  throw new Error("a query names no partition");
}

/** Returns where a page begins. The item after which it goes on may have been deleted since. */
function startOf(ordered: readonly PlainItem[], after: PlainItem | undefined, { IndexName, ScanIndexForward = true }: Query): number {
  if (!after) return 0;
  const sort = IndexName === undefined ? "sk" : "submitted";
  const there = ordered.findIndex(({ pk, sk }) => pk === after["pk"] && sk === after["sk"]);
  if (there >= 0) return there + 1;
  const isBeyond = (item: PlainItem): boolean => byBytes(String(item[sort]), String(after[sort])) * (ScanIndexForward ? 1 : -1) > 0;
  const next = ordered.findIndex(isBeyond);
  return next < 0 ? ordered.length : next;
}

const keysOf = ({ pk, sk, teamDay, submitted }: PlainItem, index: string | undefined): PlainItem =>
  index === undefined ? { pk, sk } : { pk, sk, teamDay, submitted };

function projected(item: PlainItem, { ProjectionExpression, ...given }: Query): PlainItem {
  if (ProjectionExpression === undefined) return { ...item };
  const names = ProjectionExpression.split(",").map((name) => namesIn(name.trim(), given)[0] ?? "");
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}
