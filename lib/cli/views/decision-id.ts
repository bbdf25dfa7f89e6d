import type { DecisionSummary } from "../../api/views/decisions.ts";
import { decisionCursor, decisionId } from "../../ports/decision-reader.ts";
import { UsageError } from "../invocation/exit.ts";
import type { FleetApi } from "../session/fleet-api.ts";

/** Length of a decision's time, to the millisecond. An id begins with it, and it is usually unique. */
const timeLength = "20261124-130509.123Z".length;
/** The greatest possible id. A prefix completed with its remaining characters sorts after all ids with that prefix. */
const last = `99991231-235959.999Z-${"z".repeat(36)}`;
/** The most decisions that the error about an ambiguous prefix names. */
const maxNamed = 10;

/** Returns for each id its shortest beginning that no other of these ids has. It includes at least the time. */
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

/** Returns the decision of these pools whose id has this prefix, or undefined if none has. Throws a UsageError if several have it. */
export async function decisionAt(prefix: string, pools: readonly string[], api: Pick<FleetApi, "decisions">): Promise<At | undefined> {
  const before = `${prefix}${last.slice(prefix.length)}`;
  if (!decisionCursor.test(before) || !decisionId.test(before)) return undefined;
  const found = (await Promise.all(pools.map((pool) => beginningLike(prefix, { pool, before }, api)))).flat();
  const [only, ...more] = found;
  if (more.length === 0) return only && { pool: only.pool, id: only.decision };
  const named = found.map(({ decision, pool }) => `${decision} of pool ${pool}`);
  throw new UsageError(
    `${prefix} could be one of several decisions:\n  ${named.slice(0, maxNamed).join("\n  ")}${named.length > maxNamed ? "\n  and more" : ""}`,
  );
}

/** Returns the newest decisions of a pool with this prefix. Reads on after an empty page, because older decisions may follow it. */
async function beginningLike(
  prefix: string,
  { pool, before }: { pool: string; before: string },
  api: Pick<FleetApi, "decisions">,
): Promise<readonly DecisionSummary[]> {
  let cursor: string | undefined = before;
  while (cursor !== undefined) {
    const page = await api.decisions({ pool, limit: maxNamed + 1, cursor });
    const found = page.items.filter(({ decision }) => decision.startsWith(prefix));
    if (found.length > 0) return found;
    // After the last id with the prefix, there are only older decisions.
    const next: string | undefined = page.cursor;
    cursor = page.items.length === 0 && next !== undefined && next < cursor && mayStillFollow(prefix, next) ? next : undefined;
  }
  return [];
}

/** Returns whether decisions older than the cursor may still have the prefix. */
const mayStillFollow = (prefix: string, cursor: string): boolean => cursor.slice(0, prefix.length) >= prefix.slice(0, cursor.length);
