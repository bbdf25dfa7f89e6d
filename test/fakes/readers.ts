import { recordedDecision } from "../../lib/aws/decisions/recorded-decision.ts";
import { type AttemptRef, attemptName } from "../../lib/model/job.ts";
import type { AttemptLogs, OutputLine } from "../../lib/ports/attempt-logs.ts";
import type { DecisionReader } from "../../lib/ports/decision-reader.ts";
import type { DecisionRecord } from "../../lib/ports/journal.ts";

/** What attempts have written; a cursor is how many lines were read. */
export class MemoryAttemptLogs implements AttemptLogs {
  readonly #lines = new Map<string, OutputLine[]>();

  write(of: AttemptRef & { readonly rank?: number }, ...lines: readonly OutputLine[]): void {
    const key = keyOf(of, of.rank ?? 0);
    this.#lines.set(key, [...(this.#lines.get(key) ?? []), ...lines]);
  }

  page: AttemptLogs["page"] = async (attempt, { cursor, limit, rank, sinceMs = 0, newest }) => {
    const all = this.#lines.get(keyOf(attempt, rank));
    if (all === undefined) return { kind: "page", lines: [], cursor, more: false };
    const first = all.findIndex(({ atMs }) => atMs >= sinceMs);
    const oldest = Math.max(first === -1 ? all.length : first, newest ? all.length - limit : 0);
    const [, from = String(oldest)] = /^f\/(\d{1,9})$/.exec(cursor ?? "") ?? [];
    if (cursor !== undefined && (cursor !== `f/${from}` || Number(from) > all.length)) return { kind: "bad-cursor" };
    const lines = all.slice(Number(from), Number(from) + limit);
    const next = Number(from) + lines.length;
    return { kind: "page", lines, cursor: `f/${next}`, more: next < all.length };
  };
}

const keyOf = (attempt: AttemptRef, rank: number): string => `${attemptName(attempt)}/${rank}`;

/** Reads decisions that a MemoryJournal keeps. */
export const memoryDecisionReader = (journal: { readonly decisions: readonly DecisionRecord[] }): DecisionReader => {
  const of = (pool: string) =>
    journal.decisions
      .filter((decision) => decision.pool === pool)
      .map((decision) => recordedDecision(structuredClone(decision), idOf(decision)))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  return {
    async page(pool, { cursor, limit }) {
      const found = of(pool).filter(({ id }) => cursor === undefined || id < cursor);
      const decisions = found.slice(0, limit);
      const last = decisions.at(-1);
      return found.length > limit && last ? { decisions, cursor: last.id } : { decisions };
    },
    get: async (pool, id) => of(pool).find((decision) => decision.id === id),
  };
};

const idOf = ({ atMs, id }: DecisionRecord): string => {
  const [day = "", time = ""] = new Date(atMs).toISOString().split("T");
  return `${day.replaceAll("-", "")}-${time.replaceAll(":", "")}-${id}`;
};
