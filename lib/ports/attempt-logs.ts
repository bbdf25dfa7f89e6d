import type { AttemptRef } from "../model/job.ts";

/** A piece of what an attempt wrote: usually a whole line. See LogPiece in events/artifacts/log-line.ts. */
export type LogLine = {
  readonly atMs: number;
  readonly text: string;
  readonly continues?: true | undefined;
  readonly rewrites?: true | undefined;
  readonly unfinished?: true | undefined;
};

export type LogPlace = {
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** Of a gang's member; 0 for the first one and for a plain job. */
  readonly rank: number;
  /** Nothing that is older. */
  readonly sinceMs?: number | undefined;
  /** Without a cursor: the newest lines in place of the oldest. */
  readonly newest?: boolean | undefined;
};

/** Reads what attempts write, page by page. */
export interface AttemptLogs {
  /**
   * The first lines after `cursor`, oldest first: at most `limit`, and fewer where they are long. The answer's cursor goes
   * into the next call, also when there was nothing new; none while the attempt has written nothing.
   * `more`: the next page has lines already. `bad-cursor`: it is none of this attempt's.
   */
  page(
    attempt: AttemptRef,
    from: LogPlace,
  ): Promise<
    | { readonly kind: "page"; readonly lines: readonly LogLine[]; readonly cursor?: string | undefined; readonly more: boolean }
    | { readonly kind: "bad-cursor" }
  >;
}
