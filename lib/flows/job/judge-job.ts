import { specOf } from "../../../events/job.ts";
import { choosePool, whyRejected } from "../../decide/admission/admit.ts";
import { inForce } from "../../decide/overrides/in-force.ts";
import { type NamedDataset, whyNoData } from "../../decide/shards/usable.ts";
import type { DatasetUse } from "../../model/dataset.ts";
import type { JobRef, JobSpec } from "../../model/job.ts";
import { type ConfiguredLimits, widerLimits } from "../../model/limits.ts";
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
  const beyond = { team, limits: widerLimits(deps.fleet) };
  const catalogue = await deps.catalogues.get(pool.name);
  const whyNot = (its: Pool): string | undefined => whyRejected(spec, its, catalogue, beyond);
  // Lower limits of an admin are meant to end, so a job that is only beyond those waits. Higher ones are read only if they are needed.
  const rejected = whyNot(pool) && whyNot(inForce(pool, await deps.overrides.get(pool.name), deps.now()));
  const why = rejected ?? (await whyNoDataFor(deps, team, spec));
  return why === undefined ? { kind: "fit", id, spec, pool } : unfit(why);
}

async function whyNoDataFor({ datasets }: JudgeDeps, team: string, spec: JobSpec): Promise<string | undefined> {
  const look = async (use: DatasetUse): Promise<NamedDataset> => ({ use, dataset: await datasets.get({ team, dataset: use.name }) });
  return whyNoData(team, await Promise.all(spec.datasets.map(look)));
}

/** Returns why a new job cannot have this id. */
export const whyTaken = ({ team, job }: JobRef): string =>
  `the id ${job} already names another job of team ${team} with a different body; choose a new id`;
