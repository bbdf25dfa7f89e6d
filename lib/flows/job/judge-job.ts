import { specOf } from "../../../events/job.ts";
import { choosePool, whyRejected } from "../../decide/admission/admit.ts";
import { inForce, widerInForce } from "../../decide/overrides/in-force.ts";
import { type NamedDataset, whyNoData } from "../../decide/shards/usable.ts";
import type { DatasetUse } from "../../model/dataset.ts";
import type { JobRef, JobSpec } from "../../model/job.ts";
import { type ConfiguredLimits, type WiderLimits, widerLimits } from "../../model/limits.ts";
import { acrossPools } from "../../model/overrides/overrides.ts";
import type { Pool } from "../../model/pool.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Read, Unfit } from "./read-job.ts";

export type JudgeDeps = {
  readonly catalogues: Pick<Ports["catalogues"], "get">;
  readonly datasets: Pick<Ports["datasets"], "get">;
  readonly overrides: Pick<Ports["overrides"], "get">;
  readonly now: () => number;
  readonly fleet: { readonly pools: readonly Pool[]; readonly defaultPool: string } & ConfiguredLimits;
};

/** `fit`: the job can run in this pool, as far as is known now. `id`: the id in the message. */
export type Judged = { readonly kind: "fit"; readonly id: string | undefined; readonly spec: JobSpec; readonly pool: Pool } | Unfit;

/** Returns whether a team's job can ever run here. It only reads, so that a job can be checked before it is submitted. */
export async function judgeJob(deps: JudgeDeps, team: string, read: Read): Promise<Judged> {
  if (read.kind === "unfit") return read;
  const { id } = read.message;
  const spec = specOf(read.message);
  const unfit = (reason: string): Unfit => ({ kind: "unfit", reason, id, body: spec });
  const chosen = choosePool({ team, spec }, deps.fleet);
  if ("reason" in chosen) return unfit(chosen.reason);
  const { pool } = chosen;
  const catalogue = await deps.catalogues.get(pool.name);
  const whyNot = (its: Pool, limits: WiderLimits): string | undefined => whyRejected(spec, its, catalogue, { team, limits });
  const configured = widerLimits(deps.fleet);
  const rejected = whyNot(pool, configured) && (await whyNotEither(deps, { pool, limits: configured }, whyNot));
  const why = rejected ?? (await whyNoDataFor(deps, team, spec));
  return why === undefined ? { kind: "fit", id, spec, pool } : unfit(why);
}

/**
 * Returns why the job can run neither with the configured limits nor with those that admins have set; undefined if it can. Lower limits of an
 * admin are meant to end, so a job that is only beyond those waits. Higher ones are read only if they are needed.
 */
async function whyNotEither(
  { overrides, now }: JudgeDeps,
  configured: { readonly pool: Pool; readonly limits: WiderLimits },
  whyNot: (pool: Pool, limits: WiderLimits) => string | undefined,
): Promise<string | undefined> {
  const { pool, limits } = configured;
  const [ofPool, ofAll] = await Promise.all([overrides.get(pool.name), overrides.get(acrossPools)]);
  const set = { pool: inForce(pool, ofPool, now()), limits: widerInForce(limits, ofAll, now()) };
  const reasons = [whyNot(set.pool, limits), whyNot(pool, set.limits), whyNot(set.pool, set.limits)];
  return reasons.includes(undefined) ? undefined : reasons.at(-1);
}

async function whyNoDataFor({ datasets }: JudgeDeps, team: string, spec: JobSpec): Promise<string | undefined> {
  const look = async (use: DatasetUse): Promise<NamedDataset> => ({ use, dataset: await datasets.get({ team, dataset: use.name }) });
  return whyNoData(team, await Promise.all(spec.datasets.map(look)));
}

/** Returns why a new job cannot have this id. */
export const whyTaken = ({ team, job }: JobRef): string =>
  `the id ${job} already names another job of team ${team} with a different body; choose a new id`;
