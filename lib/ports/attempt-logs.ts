import type { AttemptRef } from "../model/job.ts";

/** A piece of an attempt's output, usually a whole line. See LogPiece in events/artifacts/log-line.ts for the three flags. */
export type OutputLine = {
  readonly atMs: number;
  readonly text: string;
  readonly continues?: true | undefined;
  readonly rewrites?: true | undefined;
  readonly unfinished?: true | undefined;
};

/** Which page of a log to read. */
export type LogPlace = {
  /** The cursor of the page before; undefined for the first page. */
  readonly cursor?: string | undefined;
  /** The most lines that the page may have. */
  readonly limit: number;
  /** The rank of a gang's member; 0 for the first one and for a job of one node. */
  readonly rank: number;
  /** Older lines are left out, ms since the epoch; undefined for no bound. */
  readonly sinceMs?: number | undefined;
  /** Whether a page without a cursor begins with the newest lines instead of the oldest. */
  readonly newest?: boolean | undefined;
};

/** Reads the output of attempts, page by page. */
export interface AttemptLogs {
  /**
   * Returns the first lines after `cursor`, oldest first: at most `limit`, and fewer if they are long. The page's cursor must go
   * into the next call, even if the page has no lines; it is undefined until the attempt has written something.
   * `more`: the page is full, so the next page probably has lines already. `bad-cursor`: the cursor does not belong to this attempt.
   */
  page(
    attempt: AttemptRef,
    from: LogPlace,
  ): Promise<
    | { readonly kind: "page"; readonly lines: readonly OutputLine[]; readonly cursor?: string | undefined; readonly more: boolean }
    | { readonly kind: "bad-cursor" }
  >;
}
