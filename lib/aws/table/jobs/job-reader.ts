import { globPrefix, matchesGlob } from "../../../model/files/glob.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import type { Job } from "../../../model/job.ts";
import type { JobFilter, JobReader } from "../../../ports/jobs.ts";
import { type Item, queryPage, type TableAccess } from "../access.ts";
import { beginsWith, type Condition, expression, is, isBetween, isOneOf } from "../expression.ts";
import { attemptOf } from "../items/attempt-item.ts";
import { listedAttributes, listedJobOf, readWholeJob } from "../items/job-item.ts";
import { attemptKey, jobKey, jobOfSubmittedKey, maxAttempt, submittedFrom, submittedKey } from "../keys.ts";
import { separated } from "../stored.ts";

/** The index of all jobs that a team ever submitted, by time. Only this reader uses it. */
const teamIndex = { name: "byTeam", partition: "teamKey", sort: "submitted" } as const;

/** Jobs per read, and reads per page, because a filtered page may have to read many jobs to find few. */
const pageSize = 1_000;
const maxPages = 20;

export const createJobReader = (access: TableAccess): JobReader => ({
  get: (ref) => readWholeJob(access, ref),

  async attempts({ limit, before = Number.MAX_SAFE_INTEGER, ...ref }) {
    const from = attemptKey({ ...ref, attempt: 0 });
    const { Items = [] } = await queryPage(access, {
      ScanIndexForward: false,
      Limit: limit + 1,
      ...expression({
        keyIs: { pk: from.pk },
        within: [isBetween("sk", from.sk, attemptKey({ ...ref, attempt: Math.min(before, maxAttempt + 1) - 1 }).sk)],
      }),
    });
    const attempts = separated("attempt", Items, attemptOf).read.slice(0, limit);
    const last = attempts.at(-1);
    return Items.length > limit && last ? { attempts, before: last.attempt } : { attempts };
  },

  async list({ team, limit, cursor, ...filter }) {
    const { name, sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY } = filter;
    // DynamoDB refuses a range that ends before it begins.
    if (sinceMs >= beforeMs) return { jobs: [] };
    const jobs: Job[] = [];
    const isFiltered = Object.values(filter).some((each) => each !== undefined);
    let after = cursor === undefined ? undefined : startKey(team, cursor, filter);
    for (let pages = 0; pages < maxPages; pages += 1) {
      const page = await readPage(access, { team, filter, after, limit: isFiltered ? pageSize : limit - jobs.length + 1 });
      jobs.push(...separated("job", page.items, listedJobOf).read.filter(({ job }) => name === undefined || matchesGlob(name, job)));
      if (jobs.length > limit) return cut(jobs, limit);
      after = page.after;
      if (!after) return { jobs };
    }
    return { jobs, cursor: String(after?.["submitted"]) };
  },
});

type Page = { items: Item[]; after: Item | undefined };

async function readPage(
  access: TableAccess,
  of: { team: string; filter: JobFilter; after: Item | undefined; limit: number },
): Promise<Page> {
  const { Items = [], LastEvaluatedKey } = await queryPage(access, {
    IndexName: teamIndex.name,
    ScanIndexForward: false,
    Limit: of.limit,
    ...expression({
      keyIs: { [teamIndex.partition]: of.team },
      within: timesOf(of.filter),
      only: passes(of.filter),
      reads: listedAttributes,
    }),
    ...(of.after ? { ExclusiveStartKey: of.after } : {}),
  });
  return { items: Items, after: LastEvaluatedKey };
}

/** Returns sort keys that sort before the first job of the filter's times and after the last. */
const bounds = ({ sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY }: JobFilter): readonly [string, string] => [
  submittedFrom(sinceMs),
  submittedFrom(beforeMs),
];

const timesOf = (filter: JobFilter): readonly Condition[] =>
  filter.sinceMs === undefined && filter.beforeMs === undefined ? [] : [isBetween(teamIndex.sort, ...bounds(filter))];

const passes = ({ states, pool, name }: JobFilter): readonly Condition[] => [
  ...(states === undefined || states.length === 0 ? [] : [isOneOf("state", states)]),
  ...(pool === undefined ? [] : [is("pool", pool)]),
  ...(name === undefined || globPrefix(name) === "" ? [] : [beginsWith("job", globPrefix(name))]),
];

function cut(jobs: readonly Job[], limit: number): { jobs: readonly Job[]; cursor?: string } {
  const last = jobs[limit - 1];
  return last ? { jobs: jobs.slice(0, limit), cursor: submittedKey(last) } : { jobs: [] };
}

/** Returns the index key of a cursor. It contains the caller's team, so a cursor cannot name another team's jobs. */
function startKey(team: string, cursor: string, filter: JobFilter): Item {
  const job = jobOfSubmittedKey(cursor);
  const [first, last] = bounds(filter);
  if (job === undefined || cursor < first || cursor > last) throw new FleetError("cursor", `the cursor ${cursor} is invalid`);
  return { ...jobKey({ team, job }), [teamIndex.partition]: team, [teamIndex.sort]: cursor };
}
