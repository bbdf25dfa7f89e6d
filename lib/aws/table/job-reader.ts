import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { Fault } from "../../model/fault.ts";
import type { Job } from "../../model/job.ts";
import type { JobReader } from "../../ports/jobs.ts";
import { call, getItem, type Item, type TableAccess } from "./access.ts";
import { expression, is } from "./expression.ts";
import { jobOf } from "./job-item.ts";
import { jobKey, jobOfSubmittedKey, submittedKey } from "./keys.ts";

/** The index that this reader alone uses: everything a team ever submitted, by time. */
const teamIndex = { name: "byTeam", partition: "teamKey", sort: "submitted" } as const;

/** A page that filters may have to look at many jobs to find few: this many at a time, this often. */
const pageSize = 200;
const mostPages = 25;

export const createJobReader = (access: TableAccess): JobReader => ({
  async get(ref) {
    const item = await getItem(access, jobKey(ref), { behind: true });
    return item && jobOf(item);
  },

  async list({ team, state, limit, cursor }) {
    const jobs: Job[] = [];
    let after = cursor === undefined ? undefined : startKey(team, cursor);
    for (let pages = 0; pages < mostPages; pages += 1) {
      const page = await readPage(access, { team, state, after, limit: state ? pageSize : limit - jobs.length + 1 });
      jobs.push(...page.items.map(jobOf));
      if (jobs.length > limit) return cut(jobs, limit);
      after = page.after;
      if (!after) return { jobs };
    }
    return { jobs, cursor: String(after?.["submitted"]) };
  },
});

type Page = { items: Item[]; after: Item | undefined };

async function readPage(
  { client, table }: TableAccess,
  of: { team: string; state: string | undefined; after: Item | undefined; limit: number },
): Promise<Page> {
  const { Items = [], LastEvaluatedKey } = await call((options) =>
    client.send(
      new QueryCommand({
        TableName: table,
        IndexName: teamIndex.name,
        ScanIndexForward: false,
        Limit: of.limit,
        ...expression({ keyIs: { [teamIndex.partition]: of.team }, only: of.state ? [is("state", of.state)] : [] }),
        ...(of.after ? { ExclusiveStartKey: of.after } : {}),
      }),
      options,
    ),
  );
  return { items: Items, after: LastEvaluatedKey };
}

function cut(jobs: readonly Job[], limit: number): { jobs: readonly Job[]; cursor?: string } {
  const last = jobs[limit - 1];
  return last ? { jobs: jobs.slice(0, limit), cursor: submittedKey(last) } : { jobs: [] };
}

/** A cursor is a place in the team's own index: it can name nobody else's jobs. */
function startKey(team: string, cursor: string): Item {
  const job = jobOfSubmittedKey(cursor);
  if (job === undefined) throw new Fault("cursor", `no page begins at ${cursor}`);
  return { ...jobKey({ team, job }), [teamIndex.partition]: team, [teamIndex.sort]: cursor };
}
