import pMap from "p-map";
import { FleetError } from "../../../model/fleet-error.ts";
import { UsageError } from "../../invocation/exit.ts";
import type { JobFile } from "../../jobs/job-file.ts";
import type { Context } from "../../session/context.ts";
import { count } from "../../terminal/amount.ts";
import { withProgress } from "../../terminal/progress.ts";

/** Limits of one call. */
const maxJobs = 100;
const maxBytes = 1_000_000;
const concurrency = 3;
const maxNamed = 10;

/**
 * Asks the deployment whether it would accept the jobs, before any is sent. Throws a UsageError with the deployment's reasons if not.
 * If the API is unavailable, prints a note and returns, because jobs can be sent without the API.
 */
export async function refuseImpossible(
  files: readonly JobFile[],
  team: string,
  { connection, console }: Pick<Context, "connection" | "console">,
): Promise<void> {
  const refused: string[] = [];
  let checkedJobs = 0;
  const check = async (some: readonly JobFile[]): Promise<void> => {
    const { items } = await connection.api.checkJobs(
      team,
      some.map(({ body }) => JSON.parse(body)),
    );
    for (const [index, { accepted, because }] of items.entries())
      if (!accepted) refused.push(files.length === 1 ? `${because}` : `${some[index]?.at}: ${because}`);
  };
  try {
    await withProgress(console, `checking ${count(files.length, "job")}`, async (report) => {
      const [first = [], ...rest] = groups(files);
      await check(first);
      await pMap(
        rest,
        async (some) => {
          await check(some);
          checkedJobs += some.length;
          report(`${first.length + checkedJobs} checked`);
        },
        { concurrency },
      );
    });
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    console.note(`jobs are sent without a check, because the API could not be asked: ${error.message}`);
  }
  const [only] = refused;
  if (only === undefined) return;
  if (files.length === 1) throw new UsageError(`${only}\n  nothing was sent`);
  const more = refused.length > maxNamed ? [`and ${refused.length - maxNamed} more`] : [];
  throw new UsageError(
    [`${refused.length} of the ${files.length} jobs cannot run; nothing was sent`, ...refused.slice(0, maxNamed), ...more].join("\n  "),
  );
}

function groups(files: readonly JobFile[]): readonly (readonly JobFile[])[] {
  const all: JobFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    const last = all.at(-1);
    const size = Buffer.byteLength(file.body);
    if (last !== undefined && last.length < maxJobs && bytes + size <= maxBytes) {
      last.push(file);
      bytes += size;
    } else {
      all.push([file]);
      bytes = size;
    }
  }
  return all;
}
