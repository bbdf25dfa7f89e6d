import type { Dataset, DatasetRef } from "../model/dataset.ts";
import { type Job, type JobRecord, jobName } from "../model/job.ts";
import type { Catalogue } from "../model/offer.ts";
import type { Overrides } from "../model/overrides/overrides.ts";
import type { Ports } from "../ports/ports.ts";
import { bodyHash } from "./job/body-hash.ts";
import { type JudgeDeps, type Judged, judgeJob, whyTaken } from "./job/judge-job.ts";
import { readJobValue } from "./job/read-job.ts";

export type CheckDeps = JudgeDeps & Pick<Ports, "jobLookup">;

/** What would happen to a job if it were submitted now. */
export type JobCheck = { readonly kind: "accepted"; readonly pool: string } | { readonly kind: "refused"; readonly because: string };

/** Returns for each message what would happen if it were submitted, with the same reason that a rejection has. Writes nothing. */
export async function checkJobs(deps: CheckDeps, team: string, messages: readonly unknown[]): Promise<readonly JobCheck[]> {
  const once = { ...deps, ...readOnce(deps) };
  const judged: Judged[] = [];
  // One after another, so that the first message that names a pool or a dataset reads it for all.
  for (const message of messages) judged.push(await judgeJob(once, team, readJobValue(message)));
  const ids = new Set(judged.flatMap(({ kind, id }) => (kind === "fit" && id !== undefined ? [id] : [])));
  const there = await deps.jobLookup.find([...ids].map((job) => ({ team, job })));
  return judged.map((each) => verdictOn(each, there.get(jobName({ team, job: each.id ?? "" }))));
}

function verdictOn(judged: Judged, there: JobRecord | undefined): JobCheck {
  if (judged.kind === "unfit") return { kind: "refused", because: judged.reason };
  const accepted: JobCheck = { kind: "accepted", pool: judged.pool.name };
  if (judged.id === undefined || there === undefined) return accepted;
  if (there.bodyHash !== bodyHash(judged.spec)) return { kind: "refused", because: whyTaken(there) };
  // The same message is the same job, which stays as it is.
  return there.state === "rejected" ? { kind: "refused", because: whyRejectedBefore(there) } : accepted;
}

const whyRejectedBefore = ({ team, job, reason }: Job): string =>
  `the id ${job} names a job of team ${team} that was rejected (${reason ?? "no reason is recorded"}); choose a new id`;

/** Returns the same readers, but each item is read only once. */
function readOnce({ catalogues, datasets, overrides }: JudgeDeps): Pick<JudgeDeps, "catalogues" | "datasets" | "overrides"> {
  const byPool = new Map<string, Promise<Catalogue | undefined>>();
  const orders = new Map<string, Promise<Overrides>>();
  const byName = new Map<string, Promise<Dataset | undefined>>();
  return {
    catalogues: { get: (pool) => remembered(byPool, pool, () => catalogues.get(pool)) },
    overrides: { get: (pool) => remembered(orders, pool, () => overrides.get(pool)) },
    datasets: { get: (ref: DatasetRef) => remembered(byName, `${ref.team}/${ref.dataset}`, () => datasets.get(ref)) },
  };
}

function remembered<T>(known: Map<string, Promise<T>>, name: string, read: () => Promise<T>): Promise<T> {
  const made = known.get(name) ?? read();
  known.set(name, made);
  return made;
}
