import { itemBytes, type PlainItem } from "./item-bytes.ts";

/** The request units that a call consumes, as DynamoDB bills them on demand. */
export type Units = { readonly read: number; readonly write: number };

export const noUnits: Units = { read: 0, write: 0 };
export const plusUnits = (a: Units, b: Units): Units => ({ read: a.read + b.read, write: a.write + b.write });

/** A secondary index: its keys, and the other attributes that it holds. */
export type Index = { readonly name: string; readonly keys: readonly [string, string]; readonly holds: readonly string[] | "all" };

const tableKeys = ["pk", "sk"];

const kilobytes = (bytes: number, each: number): number => Math.max(1, Math.ceil(bytes / (each * 1024)));

/** Returns the units of a read of so many bytes: one per started 4 KB, or half as many if it may be behind. */
export const readUnits = (bytes: number, consistent: boolean): number => kilobytes(bytes, 4) * (consistent ? 1 : 0.5);

/**
 * Returns the units of a write that replaces one item by another, either of which may be missing: one per started KB of the larger one, twice
 * that in a transaction, and one per started KB of what changes in each index, once.
 */
export function writeUnits(
  before: PlainItem | undefined,
  after: PlainItem | undefined,
  { indexes, inTransaction }: { readonly indexes: readonly Index[]; readonly inTransaction: boolean },
): number {
  const own = kilobytes(Math.max(sizeOf(before), sizeOf(after)), 1) * (inTransaction ? 2 : 1);
  return own + indexes.reduce((sum, index) => sum + indexUnits(viewOf(before, index), viewOf(after, index)), 0);
}

const sizeOf = (item: PlainItem | undefined): number => (item ? itemBytes(item) : 0);

const plainSets = (_name: string, value: unknown): unknown => (value instanceof Set ? [...value].sort() : value);

type View = { readonly key: string; readonly item: PlainItem; readonly text: string };

/** Returns what an index holds of an item; undefined if it does not hold the item. */
function viewOf(item: PlainItem | undefined, { keys, holds }: Index): View | undefined {
  if (!item || keys.some((key) => item[key] === undefined)) return undefined;
  const names = holds === "all" ? Object.keys(item).sort() : [...tableKeys, ...keys, ...holds];
  const held = Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
  return { key: JSON.stringify(keys.map((key) => item[key])), item: held, text: JSON.stringify(held, plainSets) };
}

/** An entry whose key changes is deleted and written, and one that stays the same costs nothing. */
function indexUnits(before: View | undefined, after: View | undefined): number {
  const units = (view: View): number => kilobytes(itemBytes(view.item), 1);
  if (!before || !after) return (before ? units(before) : 0) + (after ? units(after) : 0);
  if (before.key !== after.key) return units(before) + units(after);
  return before.text === after.text ? 0 : Math.max(units(before), units(after));
}
