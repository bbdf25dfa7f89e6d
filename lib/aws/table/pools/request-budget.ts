import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { type Bucket, fullBucket, take, throttled } from "../../../model/requests/request-bucket.ts";
import type { RequestKind, RequestLimits } from "../../../model/requests/request-limits.ts";
import type { RequestBudget } from "../../../ports/request-budget.ts";
import { getItem, type TableAccess, tryUpdate } from "../access.ts";
import { is, isAbsent, setAll } from "../expression.ts";
import { requestsKey } from "../keys.ts";
import { stored } from "../stored.ts";

const StoredBucket = z.object({
  version: z.int(),
  requests: z.number(),
  instances: z.number(),
  atMs: z.number(),
  pace: z.number().positive().max(1),
  throttledAtMs: z.number().optional(),
});

/** Tries per call. A caller that conflicts this often must try later, because the other callers have taken the tokens. */
const maxTries = 12;
const longestPauseMs = 40;

/** Keeps one item per region and kind of request, which is read, changed, and written on the condition that it has not changed since. */
export function createRequestBudget(access: TableAccess, region: string, limits: RequestLimits): RequestBudget {
  const read = async (kind: RequestKind, nowMs: number): Promise<{ version: number; bucket: Bucket }> => {
    const item = await getItem(access, requestsKey(region, kind));
    if (!item) return { version: 0, bucket: fullBucket(limits[kind], nowMs) };
    const { version, ...bucket } = stored(StoredBucket, item);
    return { version, bucket };
  };
  const write = async (kind: RequestKind, bucket: Bucket, over: number): Promise<boolean> => {
    const written = await tryUpdate(access, requestsKey(region, kind), {
      changes: setAll({ ...bucket, version: over + 1 }),
      when: [over === 0 ? isAbsent("pk") : is("version", over)],
    });
    return written !== undefined;
  };

  return {
    async acquire({ kind, ...request }) {
      for (let tries = 1; tries <= maxTries; tries += 1) {
        const { version, bucket } = await read(kind, request.nowMs);
        const taken = take(bucket, limits[kind], request);
        if (taken.kind === "later") return taken;
        if (await write(kind, taken.bucket, version)) return { kind: "granted" };
        await pause(Math.random() * longestPauseMs);
      }
      return { kind: "later", atMs: request.nowMs + maxTries * longestPauseMs };
    },

    async throttled(kind, nowMs) {
      let withinMs = 0;
      for (let tries = 1; tries <= maxTries; tries += 1) {
        const { version, bucket } = await read(kind, nowMs);
        const after = throttled(bucket, limits[kind], nowMs);
        withinMs = after.withinMs;
        if (await write(kind, after.bucket, version)) break;
        await pause(Math.random() * longestPauseMs);
      }
      // If so many writers conflict, others have recorded the same throttling.
      return { withinMs };
    },
  };
}
