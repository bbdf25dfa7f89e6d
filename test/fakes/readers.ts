import { recordedDecision } from "../../lib/aws/recorded-decision.ts";
import { type AttemptRef, attemptName } from "../../lib/model/job.ts";
import type { AttemptLogs, LogLine } from "../../lib/ports/attempt-logs.ts";
import type { DecisionReader } from "../../lib/ports/decision-reader.ts";
import type { Decision } from "../../lib/ports/journal.ts";

/** What attempts have written; a cursor is how many lines were read. */
export class MemoryAttemptLogs implements AttemptLogs {
  readonly #lines = new Map<string, LogLine[]>();

  write(attempt: AttemptRef, ...lines: readonly LogLine[]): void {
    this.#lines.set(attemptName(attempt), [...(this.#lines.get(attemptName(attempt)) ?? []), ...lines]);
  }

  page: AttemptLogs["page"] = async (attempt, { cursor, limit }) => {
    const all = this.#lines.get(attemptName(attempt));
    if (all === undefined) return { kind: "page", lines: [], cursor, more: false };
    const [, from = "0"] = /^f\/(\d{1,9})$/.exec(cursor ?? "f/0") ?? [];
    if (cursor !== undefined && (cursor !== `f/${from}` || Number(from) > all.length)) return { kind: "bad-cursor" };
    const lines = all.slice(Number(from), Number(from) + limit);
    const next = Number(from) + lines.length;
    return { kind: "page", lines, cursor: `f/${next}`, more: next < all.length };
  };
}

/** Reads decisions that a MemoryJournal keeps. */
export const memoryDecisionReader = (journal: { readonly decisions: readonly Decision[] }): DecisionReader => {
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

const idOf = ({ atMs, id }: Decision): string => {
  const [day = "", time = ""] = new Date(atMs).toISOString().split("T");
  return `${day.replaceAll("-", "")}-${time.replaceAll(":", "")}-${id}`;
};
