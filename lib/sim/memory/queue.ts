import { createHash } from "node:crypto";
import { byTurn, type QueueEntry } from "../../model/job.ts";
import { scan, shareOf } from "../../model/queue/scan.ts";
import { placesKey } from "../../model/wants.ts";

/** A waiting job, and the pool in whose queue it is. */
export type QueueRow = { readonly pool: string; readonly entry: QueueEntry };

/** The queue of all pools, by job. Like the real table it keeps each team's part of a pool's queue in the order of its sort keys. */
export class MemoryQueue extends Map<string, QueueRow> {
  readonly #parts = new Map<string, Map<string, QueuePart>>();

  override set(job: string, row: QueueRow): this {
    const before = this.get(job);
    if (before && (before.pool !== row.pool || before.entry.team !== row.entry.team)) this.#part(before).delete(job);
    this.#part(row).set(job, row.entry);
    return super.set(job, row);
  }

  override delete(job: string): boolean {
    const row = this.get(job);
    if (row) this.#part(row).delete(job);
    return super.delete(job);
  }

  /** Returns all jobs that wait in a pool, in order. */
  whole(pool: string): { readonly queue: readonly QueueEntry[]; readonly queued: number } {
    const queue = this.#partsOf(pool)
      .flatMap((part) => [...part.entries.values()])
      .sort(byTurn);
    return { queue, queued: queue.length };
  }

  /** Reports whether a decision reads only a part of a pool's queue. */
  isLong(pool: string): boolean {
    const parts = this.#partsOf(pool);
    const { ofClass } = shareOf(parts.length);
    return parts.some(({ entries }) => entries.size > ofClass);
  }

  /** Returns how many of a team's jobs wait in a pool. */
  countOf(pool: string, team: string): number {
    return this.#parts.get(pool)?.get(team)?.entries.size ?? 0;
  }

  /** Returns what a decision reads of a pool's queue: of a long one, the first jobs of each team and class. */
  async read(pool: string, nowMs: number): Promise<{ readonly queue: readonly QueueEntry[]; readonly queued: number }> {
    const parts = this.#partsOf(pool);
    const limits = { ...shareOf(parts.length), startClass: classNamed(String(Math.floor(nowMs / 60_000))) };
    const read: (readonly QueueEntry[])[] = [];
    for (const part of parts) read.push(await part.read(limits, nowMs));
    return { queue: read.flat().sort(byTurn), queued: parts.reduce((sum, { entries }) => sum + entries.size, 0) };
  }

  #partsOf(pool: string): readonly QueuePart[] {
    return [...(this.#parts.get(pool)?.values() ?? [])];
  }

  #part({ pool, entry: { team } }: QueueRow): QueuePart {
    const teams = this.#parts.get(pool) ?? new Map<string, QueuePart>();
    this.#parts.set(pool, teams);
    const part = teams.get(team) ?? new QueuePart();
    teams.set(team, part);
    return part;
  }
}

/** `key`: the sort key, or empty if it is not known yet. It is the same for all attempts of a job. */
type Placed = { readonly job: string; key: string };

/** One team's part of a pool's queue. */
class QueuePart {
  readonly entries = new Map<string, QueueEntry>();
  /** In the order of the keys, if `#isSorted`. It also names jobs that have left, because sorting again takes longer than skipping them. */
  #order: Placed[] = [];
  readonly #placed = new Set<string>();
  #isSorted = true;

  set(job: string, entry: QueueEntry): void {
    this.entries.set(job, entry);
    if (this.#placed.has(job)) return;
    this.#placed.add(job);
    this.#order.push({ job, key: "" });
    this.#isSorted = false;
  }

  delete(job: string): void {
    this.entries.delete(job);
  }

  async read(limits: Parameters<typeof scan>[1], nowMs: number): Promise<readonly QueueEntry[]> {
    // A short part is read whole, and its order does not matter because the whole queue is sorted.
    if (this.entries.size <= limits.ofClass) return [...this.entries.values()];
    const order = this.#sorted();
    const read = async (after: string | undefined, limit: number) => this.#page(order, after, limit);
    const isResting = ({ job }: Placed): boolean => (this.entries.get(job)?.notBeforeMs ?? 0) > nowMs;
    const { entries } = await scan<Placed>(
      { keyOf: ({ key }) => key, classOf: (key) => key.slice(0, classLength), isResting, read },
      limits,
    );
    return entries.flatMap(({ job }) => this.entries.get(job) ?? []);
  }

  #page(order: readonly Placed[], after: string | undefined, limit: number) {
    const entries: Placed[] = [];
    let at = after === undefined ? 0 : firstAfter(order, after);
    for (; at < order.length && entries.length < limit; at += 1) {
      const placed = order[at];
      if (placed && this.entries.has(placed.job)) entries.push(placed);
    }
    return { entries, isLast: at >= order.length };
  }

  #sorted(): readonly Placed[] {
    if (this.#isSorted) return this.#order;
    for (const placed of this.#order) {
      if (placed.key !== "") continue;
      const entry = this.entries.get(placed.job);
      if (entry) placed.key = keyOf(entry);
      else this.#placed.delete(placed.job);
    }
    this.#order = this.#order.filter(({ key }) => key !== "").sort((a, b) => (a.key < b.key ? -1 : 1));
    this.#isSorted = true;
    return this.#order;
  }
}

const classLength = 8;
const classNamed = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, classLength);

/** Returns the sort key of a waiting job, which begins with its class. */
const keyOf = (entry: QueueEntry): string =>
  `${classNamed(placesKey(entry))}#${padded(50_000 - entry.priority, 5)}#${padded(entry.submittedAtMs, 15)}#${entry.job}`;

const padded = (n: number, digits: number): string => String(n).padStart(digits, "0");

/** Returns the index of the first key after this one. */
function firstAfter(order: readonly Placed[], after: string): number {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((order[middle]?.key ?? "") <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
