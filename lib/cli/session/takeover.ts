import { setTimeout as pause } from "node:timers/promises";
import type { Announcement, Clouds } from "../../local/announcement.ts";

type Own = Pick<Announcement, "endpoint" | "pid">;

/** Returns what a local cloud prints when commands stop using `before` and use `now`; undefined if there is nothing to say. */
export function takeoverInWords(own: Own, before: Own, now: Own | undefined): string | undefined {
  if (now === undefined || now.pid === before.pid) return undefined;
  if (now.pid === own.pid) return `the local cloud at ${before.endpoint} has ended: fleet commands use this one again`;
  return `another local cloud has started, at ${now.endpoint} (process ${now.pid}): until it ends, fleet commands use that one`;
}

const everyMs = 1_000;

/** Prints each change of where commands go, until the signal aborts. */
export async function watchTakeovers(
  own: Own,
  { read, say, signal }: { read: () => Promise<Clouds>; say: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  let current: Own = own;
  while (!signal.aborted) {
    await pause(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    const [now] = signal.aborted ? [] : ((await read().catch(() => undefined))?.running ?? []);
    const words = takeoverInWords(own, current, now);
    if (words !== undefined) say(words);
    current = now ?? current;
  }
}
