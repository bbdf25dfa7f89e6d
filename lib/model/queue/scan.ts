/**
 * Reading the first jobs of each class of a queue, whatever its length. A class holds jobs that may run in the same places; in the order
 * of the queue its jobs are next to each other, the next to be placed first. If one job of a class cannot be placed, neither can those
 * after it, unless it only rests for a while, so a decision that begins at most `ofClass` jobs needs no more of any class.
 */

/** A part of a queue, in order. `isLast`: nothing follows. */
type QueuePart<Entry> = { readonly entries: readonly Entry[]; readonly isLast: boolean };

/** A queue that is read in parts. `after` is a sort key, or undefined for the beginning. */
export type ScannedQueue<Entry> = {
  readonly read: (after: string | undefined, limit: number) => Promise<QueuePart<Entry>>;
  readonly keyOf: (entry: Entry) => string;
  /** Returns the class of a sort key. Keys of one class have it as their beginning. */
  readonly classOf: (key: string) => string;
  /** Reports whether a job must not be placed yet. Such a job must not hide those after it, so it does not count as one of its class. */
  readonly isResting: (entry: Entry) => boolean;
};

export type ScanLimits = {
  /** The most jobs of one class, which is also the most per read. */
  readonly ofClass: number;
  readonly reads: number;
  /** The class at which the scan begins if it cannot read all, so that each class is read by some decision. */
  readonly startClass: string;
};

/** A decision begins at most 1,000 jobs, so it needs no more of one class. */
const maxOfClass = 1_000;
/** The most reads of one decision, shared by the teams. Each returns at most `maxOfClass` entries. */
const maxReads = 24;

/** Returns what a decision may read of each team's part of a queue that this many teams share. */
export function shareOf(teams: number): Pick<ScanLimits, "ofClass" | "reads"> {
  const reads = Math.max(2, Math.floor(maxReads / Math.max(1, teams)));
  const ofClass = Math.max(100, Math.min(maxOfClass, Math.floor((maxReads * maxOfClass) / (reads * Math.max(1, teams)))));
  return { reads, ofClass };
}

/** `isWhole`: the queue has no more entries than these. */
export type Scanned<Entry> = { readonly entries: readonly Entry[]; readonly isWhole: boolean };

/** Sorts after all keys of its class. */
const endOf = (name: string): string => `${name}~`;

export async function scan<Entry>(queue: ScannedQueue<Entry>, limits: ScanLimits): Promise<Scanned<Entry>> {
  const first = await queue.read(undefined, limits.ofClass);
  if (first.isLast) return { entries: first.entries, isWhole: true };
  const entries = [...first.entries];
  const rest = skipFull(queue, first.entries, limits.ofClass);
  const start = rest.after !== undefined && rest.after < limits.startClass ? limits.startClass : undefined;
  const parts = start === undefined ? [{ after: rest.after }] : [{ after: start }, { after: rest.after, until: start }];
  let left = limits.reads - 1;
  let isWhole = !rest.skips;
  for (const part of parts) {
    const read = await scanPart(queue, part, { ...limits, reads: left });
    entries.push(...read.entries);
    left -= read.reads;
    isWhole &&= read.isWhole;
  }
  return { entries, isWhole };
}

type Part = { readonly after: string | undefined; readonly until?: string };

async function scanPart<Entry>(
  queue: ScannedQueue<Entry>,
  { after: begin, until }: Part,
  { ofClass, reads }: ScanLimits,
): Promise<Scanned<Entry> & { readonly reads: number }> {
  const entries: Entry[] = [];
  let after = begin;
  let isWhole = true;
  for (let read = 1; read <= reads; read += 1) {
    const page = await queue.read(after, ofClass);
    const inside = until === undefined ? page.entries : page.entries.filter((entry) => queue.keyOf(entry) <= until);
    entries.push(...inside);
    if (page.isLast || inside.length < page.entries.length) return { entries, isWhole, reads: read };
    const next = skipFull(queue, entries, ofClass);
    after = next.after;
    isWhole &&= !next.skips;
  }
  return { entries, isWhole: false, reads };
}

/** Returns where to read on after these entries: after the last one, or after its class if enough of that class were read. */
function skipFull<Entry>(
  queue: ScannedQueue<Entry>,
  entries: readonly Entry[],
  ofClass: number,
): { after: string | undefined; skips: boolean } {
  const last = entries.at(-1);
  if (last === undefined) return { after: undefined, skips: false };
  const key = queue.keyOf(last);
  const name = queue.classOf(key);
  const first = entries.filter((entry) => !queue.isResting(entry)).at(-ofClass);
  // Entries of one class follow each other, so if this one is of the class, so are all between.
  const isFull = first !== undefined && queue.classOf(queue.keyOf(first)) === name;
  return isFull ? { after: endOf(name), skips: true } : { after: key, skips: false };
}
