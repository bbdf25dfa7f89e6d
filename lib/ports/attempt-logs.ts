import type { AttemptRef } from "../model/job.ts";

export type LogLine = { readonly atMs: number; readonly text: string };

/** Reads what attempts write, page by page. */
export interface AttemptLogs {
  /**
   * The first lines after `cursor`, oldest first: at most `limit`, and fewer where they are long. The answer's cursor goes
   * into the next call, also when there was nothing new; none while the attempt has written nothing.
   * `more`: the next page has lines already. `bad-cursor`: it is none of this attempt's.
   */
  page(
    attempt: AttemptRef,
    from: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<
    | { readonly kind: "page"; readonly lines: readonly LogLine[]; readonly cursor?: string | undefined; readonly more: boolean }
    | { readonly kind: "bad-cursor" }
  >;
}
