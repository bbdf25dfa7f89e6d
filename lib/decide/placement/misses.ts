import type { Fallback } from "./next-pool.ts";
import type { Miss } from "./placement-state.ts";

/**
 * Why a job of a kind waits: what was missed, the reason for the team, and the pool that it may move to. `unexamined`: the decision has
 * searched for too many other kinds of the team in vain.
 */
export type Wait = {
  readonly miss: Miss | "unexamined";
  readonly reason: string | undefined;
  readonly fallback?: Fallback | undefined;
  /** When the budget that is in the way renews; undefined if none is. */
  readonly renewsAtMs?: number | undefined;
};

/**
 * The most kinds of one team's jobs for which a decision searches in vain. Each search takes about 0.1 ms, and a team can submit as many
 * kinds as it likes. Its further kinds wait for a decision that can place some of these.
 */
const maxSearches = 400;

/** The kinds of jobs that could not be placed. If one job does not fit, neither does the next of its kind, because what is left only shrinks. */
export class Misses {
  readonly #waits = new Map<string, Wait>();
  readonly #searches = new Map<string, number>();

  /** Returns why a job of this kind waits, or undefined if that is not known yet. */
  of(team: string, kind: string): Wait | undefined {
    const known = this.#waits.get(kind);
    if (known) return known;
    return (this.#searches.get(team) ?? 0) < maxSearches ? undefined : { miss: "unexamined", reason: undefined };
  }

  note(team: string, kind: string, wait: Wait): void {
    if (wait.miss === "unexamined" || this.#waits.has(kind)) return;
    this.#waits.set(kind, wait);
    this.#searches.set(team, (this.#searches.get(team) ?? 0) + 1);
  }

  get all(): readonly Wait[] {
    return [...this.#waits.values()];
  }
}
