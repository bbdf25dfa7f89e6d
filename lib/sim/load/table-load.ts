import type { WrittenItem } from "./writes.ts";

export type Capacity = {
  /** The writes per second that a partition takes. With more, some are refused. */
  readonly writesPerSecond: number;
  /** How long a write is in flight, ms. Another one of the same item that begins then conflicts with it. */
  readonly inFlightMs: number;
};

/** The chances, 0 to 1, that a call conflicts with another writer, and that a partition refuses it. */
export type Strain = { readonly conflict: number; readonly hot: number };

/** Even on the busiest item, a caller that repeats its call must get through. */
const maxChance = 0.8;
const windowMs = 1_000;
const none: Strain = { conflict: 0, hot: 0 };

type Write = { readonly atMs: number; readonly by: object };

/**
 * What the table has taken within the last second. DynamoDB cancels a transaction if another write of one of its items is in flight, and
 * refuses writes if a partition gets more than it can take, so the chance of both grows with the number of writes.
 */
export class TableLoad {
  readonly #nowMs: () => number;
  readonly #capacity: Capacity;
  readonly #items = new Map<string, Write[]>();
  readonly #partitions = new Map<string, { second: number; before: number; count: number }>();

  constructor(nowMs: () => number, capacity: Capacity) {
    this.#nowMs = nowMs;
    this.#capacity = capacity;
  }

  /** Counts the writes of a call. `by`: the run of a handler that makes it; its own writes do not conflict with each other. */
  count(items: readonly WrittenItem[], by: object): Strain {
    if (items.length === 0) return none;
    let [others, busiest] = [0, 0];
    for (const { partition, sort } of items) {
      others += this.#writesOfOthers(`${partition} ${sort}`, by);
      busiest = Math.max(busiest, this.#writesOf(partition));
    }
    const { writesPerSecond, inFlightMs } = this.#capacity;
    const conflict = 1 - (1 - Math.min(1, inFlightMs / windowMs)) ** others;
    return { conflict: Math.min(maxChance, conflict), hot: Math.min(maxChance, Math.max(0, 1 - writesPerSecond / busiest)) };
  }

  /** Adds a write of an item. Returns how many others wrote it within the last second. */
  #writesOfOthers(name: string, by: object): number {
    const nowMs = this.#nowMs();
    const known = this.#items.get(name);
    if (!known) {
      this.#items.set(name, [{ atMs: nowMs, by }]);
      return 0;
    }
    const since = known.findIndex(({ atMs }) => atMs > nowMs - windowMs);
    known.splice(0, since < 0 ? known.length : since);
    const others = known.reduce((sum, write) => (write.by === by ? sum : sum + 1), 0);
    known.push({ atMs: nowMs, by });
    return others;
  }

  /** Adds a write of a partition. Returns about how many it got within the last second. */
  #writesOf(partition: string): number {
    const nowMs = this.#nowMs();
    const second = Math.floor(nowMs / windowMs);
    const known = this.#partitions.get(partition);
    if (!known || known.second < second - 1) {
      this.#partitions.set(partition, { second, before: 0, count: 1 });
      return 1;
    }
    if (known.second < second) Object.assign(known, { second, before: known.count, count: 0 });
    known.count += 1;
    return known.count + known.before * (1 - (nowMs % windowMs) / windowMs);
  }
}
