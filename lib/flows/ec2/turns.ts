import type { RequestKind, RequestLane } from "../../model/requests/request-limits.ts";
import type { RequestBudget } from "../../ports/request-budget.ts";

export type TurnDeps = {
  readonly budget: RequestBudget;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
};

/** Not now: come back at that time. */
export type Later = { readonly kind: "later"; readonly atMs: number };

/** Whose turn it is to call EC2, within one decision. */
export type Turns = {
  /** Waits for a turn if it comes soon. `granted`: call at once. */
  take(ask: { kind: RequestKind; lane: RequestLane; instances: number }): Promise<{ readonly kind: "granted" } | Later>;
  /** EC2 has throttled a call all the same: tells everybody, and answers when to come back, with full jitter. */
  throttled(kind: RequestKind): Promise<Later>;
};

/** So long one decision waits for turns in all. What takes longer is a matter for the next one: somebody's job may be waiting for this one's end. */
const patienceMs = 2_000;

/** One after the other for each kind: who was told to wait is the first to be asked again. */
export function createTurns({ budget, now, pause, random }: TurnDeps): Turns {
  let leftMs = patienceMs;
  const last = new Map<RequestKind, Promise<unknown>>();
  const closed = new Map<string, Later>();

  const next: Turns["take"] = async (ask) => {
    const name = `${ask.kind} ${ask.lane}`;
    for (;;) {
      const nowMs = now();
      const known = closed.get(name);
      // Who comes after one that was sent away need not ask the table.
      if (known && known.atMs > nowMs) return known;
      const turn = await budget.take({ ...ask, nowMs });
      if (turn.kind === "granted") return turn;
      const waitMs = turn.atMs - nowMs;
      if (waitMs > leftMs) {
        closed.set(name, turn);
        return turn;
      }
      leftMs -= waitMs;
      await pause(waitMs);
    }
  };

  return {
    take(ask) {
      const mine = (last.get(ask.kind) ?? Promise.resolve()).then(() => next(ask));
      last.set(
        ask.kind,
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
