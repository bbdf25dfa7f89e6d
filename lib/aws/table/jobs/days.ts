import type { Job } from "../../../model/job.ts";
import { keptMs } from "../../../model/values/kept.ts";
import { periodName } from "../../../model/values/period.ts";
import { putItem, queryPage, type TableAccess } from "../access.ts";
import { expression, isBetween } from "../expression.ts";
import { dayKey, daysPartition } from "../keys.ts";
import { ttlAfter } from "../stored.ts";

/** The most days that one process remembers to have noted. */
const maxNoted = 1_000;

/** Returns a function that records the day of a job's submission, once per process, team and day. */
export function createDayNotes(access: TableAccess): (job: Pick<Job, "team" | "submittedAtMs">) => Promise<void> {
  const noted = new Set<string>();
  return async ({ team, submittedAtMs }) => {
    const key = dayKey(team, periodName("day", submittedAtMs));
    const name = `${key.pk} ${key.sk}`;
    if (noted.has(name)) return;
    await putItem(access, { ...key, ttl: ttlAfter(submittedAtMs, keptMs.dayOfJobs) });
    if (noted.size >= maxNoted) noted.clear();
    noted.add(name);
  };
}

/**
 * Returns the days between two, both included, on which the team submitted jobs, the newest first and at most `limit`. A day that was
 * noted in the last moments may be missing.
 */
export async function daysOf(
  access: TableAccess,
  team: string,
  { from, to, limit }: { readonly from: string; readonly to: string; readonly limit: number },
): Promise<readonly string[]> {
  const { Items = [] } = await queryPage(access, {
    ScanIndexForward: false,
    Limit: limit,
    ...expression({ keyIs: { pk: daysPartition(team) }, within: [isBetween("sk", from, to)], reads: ["sk"] }),
  });
  return Items.map(({ sk }) => String(sk));
}
