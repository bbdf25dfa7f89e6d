import type { Job } from "../../model/job.ts";
import type { JobFilter, JobReader } from "../../ports/jobs.ts";

/** The most jobs that the API lists per call. */
const maxOfPage = 1_000;

export type JobsPage = { readonly jobs: readonly Job[]; readonly cursor?: string | undefined };

/** Yields a team's jobs, newest first, page by page, up to `limit`. The last page has a cursor if there are more. */
export async function* jobPages(
  reader: Pick<JobReader, "list">,
  { limit, ...of }: { readonly team: string; readonly limit: number; readonly cursor?: string | undefined } & JobFilter,
): AsyncGenerator<JobsPage> {
  let left = limit;
  let { cursor } = of;
  do {
    const page = await reader.list({ ...of, cursor, limit: Math.min(left, maxOfPage) });
    left -= page.jobs.length;
    cursor = page.cursor;
    yield page;
  } while (left > 0 && cursor !== undefined);
}
