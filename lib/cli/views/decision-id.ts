import type { DecisionSummary } from "../../api/views/decisions.ts";
import { decisionCursor, decisionId } from "../../ports/decision-reader.ts";
import { UsageError } from "../invocation/exit.ts";
import type { FleetApi } from "../session/fleet-api.ts";

/** A decision's time, to the millisecond: the beginning of its id, which as a rule no other one has. */
const timeLength = "20261124-130509.123Z".length;
/** The last id that there could be. What it has beyond a prefix comes after all that begins with that prefix. */
const last = `99991231-235959.999Z-${"z".repeat(36)}`;
/** So many are told of what a prefix could mean. */
const mostNamed = 10;

/** For each id the shortest beginning, of its time at least, that names no other one of these. */
export function shortIds(all: readonly string[]): ReadonlyMap<string, string> {
  const ids = [...new Set(all)].sort();
  return new Map(
    ids.map((id, index) => {
      const shared = Math.max(commonLength(id, ids[index - 1]), commonLength(id, ids[index + 1]));
      return [id, id.slice(0, Math.max(timeLength, shared + 1))];
    }),
  );
}

function commonLength(id: string, other: string | undefined): number {
  let length = 0;
  while (other !== undefined && length < id.length && id[length] === other[length]) length += 1;
  return length;
}

type At = { readonly pool: string; readonly id: string };

/** The decisions whose ids begin like this, in these pools; throws when there are several. Undefined when there is none. */
export async function decisionAt(prefix: string, pools: readonly string[], api: Pick<FleetApi, "decisions">): Promise<At | undefined> {
  const before = `${prefix}${last.slice(prefix.length)}`;
  if (!decisionCursor.test(before) || !decisionId.test(before)) return undefined;
  const found = (await Promise.all(pools.map((pool) => beginningLike(prefix, { pool, before }, api)))).flat();
  const [only, ...more] = found;
  if (more.length === 0) return only && { pool: only.pool, id: only.decision };
  const named = found.map(({ decision, pool }) => `${decision} of pool ${pool}`);
  throw new UsageError(
    `${prefix} could be one of several decisions:\n  ${named.slice(0, mostNamed).join("\n  ")}${named.length > mostNamed ? "\n  and more" : ""}`,
  );
}

/** A page may be empty though older ones follow: those that begin like this come first. */
async function beginningLike(
  prefix: string,
  { pool, before }: { pool: string; before: string },
  api: Pick<FleetApi, "decisions">,
): Promise<readonly DecisionSummary[]> {
  let cursor: string | undefined = before;
  while (cursor !== undefined) {
    const page = await api.decisions({ pool, limit: mostNamed + 1, cursor });
    const found = page.items.filter(({ decision }) => decision.startsWith(prefix));
    if (found.length > 0) return found;
    // Beyond the prefix are only older ones.
    const next: string | undefined = page.cursor;
    cursor = page.items.length === 0 && next !== undefined && next < cursor && mayStillFollow(prefix, next) ? next : undefined;
  }
  return [];
}

/** Whether what is older than the cursor may still begin like this. */
const mayStillFollow = (prefix: string, cursor: string): boolean => cursor.slice(0, prefix.length) >= prefix.slice(0, cursor.length);
