import type { RequestKind, RequestPriority } from "../../model/requests/request-limits.ts";
import type { Ports } from "../../ports/ports.ts";

export type RateLimiterDeps = Pick<Ports, "budget"> & {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
};

/** No turn now: ask again at that time. */
export type Later = { readonly kind: "later"; readonly atMs: number };

/** The turns of one decision to call EC2. */
export type RateLimiter = {
  /** Waits for a turn if there is one soon. `granted`: call at once. */
  acquire(request: { kind: RequestKind; priority: RequestPriority; instances: number }): Promise<{ readonly kind: "granted" } | Later>;
  /** Records for all pools that EC2 has throttled a call, and returns when to try again, with full jitter. */
  throttled(kind: RequestKind): Promise<Later>;
};

/** One decision waits for turns this long in total. The next decision does the rest, because jobs may be waiting for this one to end. */
const patienceMs = 2_000;

/** Returns the turns. Per kind, callers get their turns in order, so the one that had to wait is the first to try again. */
export function createRateLimiter({ budget, now, pause, random }: RateLimiterDeps): RateLimiter {
  let leftMs = patienceMs;
  const last = new Map<RequestKind, Promise<unknown>>();
  const closed = new Map<string, Later>();

  const next: RateLimiter["acquire"] = async (request) => {
    const name = `${request.kind} ${request.priority}`;
    for (;;) {
      const nowMs = now();
      const known = closed.get(name);
      // If an earlier caller was refused, the later ones need not read the table.
      if (known && known.atMs > nowMs) return known;
      const grant = await budget.acquire({ ...request, nowMs });
      if (grant.kind === "granted") return grant;
      const waitMs = grant.atMs - nowMs;
      if (waitMs > leftMs) {
        closed.set(name, grant);
        return grant;
      }
      leftMs -= waitMs;
      await pause(waitMs);
    }
  };

  return {
    acquire(request) {
      const mine = (last.get(request.kind) ?? Promise.resolve()).then(() => next(request));
      last.set(
        request.kind,
        mine.catch(() => undefined),
      );
      return mine;
    },
    async throttled(kind) {
      const nowMs = now();
      const { withinMs } = await budget.throttled(kind, nowMs);
      return { kind: "later", atMs: nowMs + Math.ceil(random() * withinMs) };
    },
  };
}
