import { globPrefix, matchesGlob } from "../../../model/files/glob.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { type Job, maxAttempt } from "../../../model/job.ts";
import { nextStart, periodName } from "../../../model/values/period.ts";
import type { JobFilter, JobReader } from "../../../ports/jobs.ts";
import { type Item, queryPage, type TableAccess } from "../access.ts";
import { beginsWith, type Condition, expression, is, isBetween, isOneOf } from "../expression.ts";
import { attemptOf } from "../items/attempt-item.ts";
import { listedAttributes, listedJobOf, readWholeJob } from "../items/job-item.ts";
import { attemptKey, dayInIndex, jobKey, placeOfSubmittedKey, submittedFrom, submittedKey } from "../keys.ts";
import { separated } from "../stored.ts";
import { daysOf } from "./days.ts";

/** The index of the jobs that a team submitted, by day and time. Only this reader uses it. */
const teamIndex = { name: "byTeam", partition: "teamDay", sort: "submitted" } as const;

/** Jobs per read, and reads per page, because a filtered page may have to read many jobs, or many days, to find few. */
const pageSize = 1_000;
const maxReads = 40;

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
    const { sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY } = filter;
    // DynamoDB refuses a range that ends before it begins.
    if (sinceMs >= beforeMs) return { jobs: [] };
    const isFiltered = Object.values(filter).some((each) => each !== undefined);
    const jobs: Job[] = [];
    const mostOfRead = (): number => (isFiltered ? pageSize : limit - jobs.length + 1);
    let reads = 0;
    for await (const read of readDays(access, { team, filter, cursor, mostOfRead })) {
      jobs.push(...read.jobs);
      if (jobs.length > limit) return cut(jobs, limit);
      reads += 1;
      if (reads === maxReads && read.next !== undefined) return { jobs, cursor: read.next };
    }
    return { jobs };
  },
});

type Listing = { team: string; filter: JobFilter; cursor: string | undefined; mostOfRead: () => number };

/** Reads the jobs of one day after the other, newest first. `next`: the cursor of what follows; undefined if nothing does. */
async function* readDays(access: TableAccess, { team, filter, cursor, mostOfRead }: Listing) {
  let after = cursor === undefined ? undefined : cursorWithin(cursor, filter);
  const { sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY } = filter;
  const days = await daysOf(access, team, { from: dayAt(sinceMs), to: dayAt(after?.atMs ?? beforeMs), limit: maxReads + 1 });
  for (const [index, day] of days.entries()) {
    const nextDay = days[index + 1];
    do {
      const page = await readPage(access, { team, day, filter, after: after?.cursor, limit: mostOfRead() });
      after = page.after;
      yield { jobs: page.jobs, next: after?.cursor ?? (nextDay === undefined ? undefined : beforeDay(nextDay)) };
    } while (after);
  }
}

/** Where a list goes on: after this job, and so after this time, because lists begin with the newest. */
type After = { readonly cursor: string; readonly atMs: number };
type Read = { team: string; day: string; filter: JobFilter; after: string | undefined; limit: number };

/** Reads jobs of one day. */
async function readPage(access: TableAccess, of: Read): Promise<{ jobs: readonly Job[]; after: After | undefined }> {
  const { team, day, filter } = of;
  const { Items = [], LastEvaluatedKey } = await queryPage(access, {
    IndexName: teamIndex.name,
    ScanIndexForward: false,
    Limit: of.limit,
    ...expression({
      keyIs: { [teamIndex.partition]: dayInIndex(team, day) },
      within: timesOf(filter),
      only: passes(filter),
      reads: listedAttributes,
    }),
    ...(of.after !== undefined && { ExclusiveStartKey: startKey(team, day, of.after) }),
  });
  const { name } = filter;
  const jobs = separated("job", Items, listedJobOf).read.filter(({ job }) => name === undefined || matchesGlob(name, job));
  return { jobs, after: LastEvaluatedKey && afterOf(String(LastEvaluatedKey[teamIndex.sort])) };
}

/** Returns the day of a time, limited to the days whose names sort. */
const dayAt = (atMs: number): string => periodName("day", Math.min(Math.max(atMs, 0), latestMs));
/** The last ms of the year 9999, because names of later years do not sort. */
const latestMs = Date.UTC(10_000, 0) - 1;

/** Returns a cursor before all jobs of a day, and after all jobs of later ones. */
const beforeDay = (day: string): string => submittedKey({ submittedAtMs: nextStart("day", Date.parse(day)) - 1, job: "~" });

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

/** Returns where a cursor goes on. Throws if it is not a cursor, or if the list of the filter's times cannot have given it. */
function cursorWithin(cursor: string, filter: JobFilter): After {
  const [first, last] = bounds(filter);
  const after = afterOf(cursor);
  if (!after || cursor < first || cursor > last) throw new FleetError("cursor", `the cursor ${cursor} is invalid`);
  return after;
}

function afterOf(cursor: string): After | undefined {
  const place = placeOfSubmittedKey(cursor);
  return place && { cursor, atMs: place.submittedAtMs };
}

/** Returns the index key of a cursor. It contains the caller's team, so a cursor cannot name another team's jobs. */
const startKey = (team: string, day: string, cursor: string): Item => ({
  ...jobKey({ team, job: placeOfSubmittedKey(cursor)?.job ?? "" }),
  [teamIndex.partition]: dayInIndex(team, day),
  [teamIndex.sort]: cursor,
});
