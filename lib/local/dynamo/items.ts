import { byBytes } from "./expressions.ts";
import type { PlainItem } from "./item-bytes.ts";
import type { Index } from "./units.ts";

type Partition = { readonly items: Map<string, PlainItem>; sorted: readonly string[] | undefined };

/** The items of a table by partition and sort key. An item is never changed, only replaced. */
export class Items {
  readonly #partitions = new Map<string, Partition>();
  readonly #indexes: readonly Index[];

  constructor(indexes: readonly Index[]) {
    this.#indexes = indexes;
  }

  get({ pk, sk }: { readonly pk: string; readonly sk: string }): PlainItem | undefined {
    return this.#partitions.get(pk)?.items.get(sk);
  }

  /** Replaces an item, or deletes it if `item` is undefined. */
  put({ pk, sk }: { readonly pk: string; readonly sk: string }, item: PlainItem | undefined): void {
    const partition = this.#partitions.get(pk) ?? { items: new Map<string, PlainItem>(), sorted: undefined };
    this.#partitions.set(pk, partition);
    if (partition.items.has(sk) !== (item !== undefined)) partition.sorted = undefined;
    if (item) partition.items.set(sk, item);
    else partition.items.delete(sk);
    if (partition.items.size === 0) this.#partitions.delete(pk);
  }

  /** Returns the items of a partition in the order of their sort keys. */
  partition(pk: string): readonly PlainItem[] {
    const partition = this.#partitions.get(pk);
    if (!partition) return [];
    partition.sorted ??= [...partition.items.keys()].sort(byBytes);
    return partition.sorted.map((sk) => partition.items.get(sk) ?? {});
  }

  /** Returns the items that an index holds in the order of its sort key. */
  indexed(name: string): readonly PlainItem[] {
    const index = this.#indexes.find((each) => each.name === name);
    if (!index) throw new Error(`the table in memory has no index ${name}`);
    const [, sort] = index.keys;
    return this.all()
      .filter((item) => index.keys.every((key) => item[key] !== undefined))
      .toSorted((a, b) => byBytes(String(a[sort]), String(b[sort])));
  }

  all(): readonly PlainItem[] {
    return [...this.#partitions.values()].flatMap(({ items }) => [...items.values()]);
  }
}
