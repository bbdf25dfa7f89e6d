import pMap from "p-map";
import { type ScanLimits, scan, shareOf } from "../../../model/queue/scan.ts";
import { getPartition, type Item, queryPage, queryPages, type TableAccess } from "../access.ts";
import { expression, isAbove } from "../expression.ts";
import { mayRestUntil } from "../items/queue-item.ts";
import { queueOfTeam, setQueued } from "../items/queues-item.ts";
import { classLength, classNamed, queuePartition, queuesPartition } from "../keys.ts";

const concurrency = 8;

/** `queued`: how many jobs wait, about, if more wait than were read. */
export type ReadQueues = { readonly items: readonly Item[]; readonly queued: number };

/**
 * Reads the first jobs of each team and class, strongly consistent. However many jobs a team has queued, it takes no more than its share
 * of what a decision can read. If that is not enough for all its classes, each minute begins with another class.
 */
export async function readQueues(access: TableAccess, pool: string, nowMs: number): Promise<ReadQueues> {
  const teams = (await getPartition(access, queuesPartition(pool))).map(queueOfTeam);
  const limits = { ...shareOf(teams.length), startClass: classNamed(String(Math.floor(nowMs / 60_000))) };
  const parts = await pMap(teams, ({ team }) => readTeam(access, { pool, team, nowMs, limits }), { concurrency });
  const items = parts.flatMap(({ entries }) => entries);
  const counted = teams.reduce((sum, { queued }, n) => sum + (parts[n]?.isWhole ? (parts[n]?.entries.length ?? 0) : queued), 0);
  return { items, queued: Math.max(items.length, counted) };
}

/** Counts each team's waiting jobs, records the counts for admissions, and returns their sum. */
export async function countQueues(access: TableAccess, pool: string): Promise<number> {
  const teams = (await getPartition(access, queuesPartition(pool))).map(queueOfTeam);
  const counts = await pMap(
    teams,
    async ({ team, queued: before }) => {
      const queued = await countTeam(access, queuePartition(pool, team));
      if (queued !== before) await setQueued(access, { pool, team, queued });
      return queued;
    },
    { concurrency },
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

type OfTeam = { readonly pool: string; readonly team: string; readonly nowMs: number; readonly limits: ScanLimits };

const readTeam = (access: TableAccess, { pool, team, nowMs, limits }: OfTeam) =>
  scan<Item>(
    {
      keyOf: (item) => String(item["sk"]),
      classOf: (key) => key.slice(0, classLength),
      isResting: (item) => mayRestUntil(item) > nowMs,
      async read(after, limit) {
        const within = after === undefined ? [] : [isAbove("sk", after)];
        const { Items = [], LastEvaluatedKey } = await queryPage(access, {
          ConsistentRead: true,
          Limit: limit,
          ...expression({ keyIs: { pk: queuePartition(pool, team) }, within }),
        });
        return { entries: Items, isLast: LastEvaluatedKey === undefined };
      },
    },
    limits,
  );

async function countTeam(access: TableAccess, pk: string): Promise<number> {
  let count = 0;
  for await (const { Count = 0 } of queryPages(access, { Select: "COUNT", ...expression({ keyIs: { pk } }) })) count += Count;
  return count;
}
