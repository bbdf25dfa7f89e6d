import type { JobSpec } from "../../model/job.ts";
import type { WiderLimits } from "../../model/limits.ts";
import type { Catalogue } from "../../model/offer.ts";
import type { Pool } from "../../model/pool.ts";
import { defaultRunSeconds, runSecondsIn } from "../../model/values/attempt-times.ts";
import { whyNoContainerVariable } from "../../model/values/container-variable.ts";
import { wantsOfMessage } from "../../model/wants.ts";
import { whyBeyond } from "../limits/why-beyond.ts";
import { whyExcluded, whyTooLarge, whyUnsold } from "../placement/impossible.ts";

/** Returns the pool that a team's job goes to, or why there is none. */
export function choosePool(
  job: { team: string; spec: JobSpec },
  has: { pools: readonly Pool[]; defaultPool: string },
): { readonly pool: Pool } | { readonly reason: string } {
  const name = job.spec.pool ?? has.defaultPool;
  const open = has.pools.filter((pool) => pool.teams.length === 0 || pool.teams.includes(job.team));
  const pool = open.find((each) => each.name === name);
  if (pool) return { pool };
  const known = open.map((each) => each.name).join(", ") || "none";
  return { reason: `team ${job.team} has no pool named ${name}; it can use: ${known}` };
}

/**
 * Returns why the job can never run in the pool; undefined if it can. As long as it is not known what the pool can buy, the pool's
 * configuration alone decides, and a job that no instance type may hold waits until the types are known.
 */
export function whyRejected(
  spec: JobSpec,
  pool: Pool,
  catalogue: Catalogue | undefined,
  beyond?: { readonly team: string; readonly limits: WiderLimits },
): string | undefined {
  const unfit = whyNotContained(spec, pool) ?? whyTooLong(spec, pool);
  if (unfit !== undefined) return unfit;
  const wants = wantsOfMessage(spec);
  if (!catalogue) return whyExcluded(wants, pool);
  const unsold = whyTooLarge(wants, pool, catalogue.types) ?? whyUnsold(wants, pool, catalogue);
  return unsold ?? (beyond && whyBeyond({ ...wants, team: beyond.team }, { pool, catalogue, limits: beyond.limits }));
}

/** Returns why a job may not run for as long as it asks for; undefined if it may, or if it asks for nothing. */
function whyTooLong({ maxRuntimeSeconds: asked }: JobSpec, pool: Pool): string | undefined {
  if (asked <= runSecondsIn(pool, asked) || asked === defaultRunSeconds) return undefined;
  return `it asks for ${asked} s and pool ${pool.name} lets a job run for at most ${pool.maxRuntimeSeconds} s; lower "maxRuntimeSeconds"`;
}

/** Returns why a job cannot run in the container that it names; undefined if it can, or names none. */
function whyNotContained({ image, env }: JobSpec, pool: Pool): string | undefined {
  if (image === undefined) return undefined;
  if (!pool.containers)
    return `pool ${pool.name} runs plain programs, not containers; give a "command" without "image", or name another pool`;
  return Object.entries(env)
    .map(([name, value]) => whyNoContainerVariable(name, value))
    .find((why) => why !== undefined);
}
