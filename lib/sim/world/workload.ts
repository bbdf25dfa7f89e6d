import type { DatasetRef, Shard } from "../../model/dataset.ts";
import { type AttemptRef, type JobRef, jobName } from "../../model/job.ts";
import type { Chance } from "../faults/chance.ts";
import { floodNames } from "./flood.ts";
import type { SimProgram } from "./program.ts";
import type { Scenario } from "./scenario.ts";

/** A message that a team sends. `job` is the name of its job. */
export type TeamMessage = {
  readonly atMs: number;
  readonly team: string;
  readonly job: string;
  readonly body: string;
  readonly repeatMs?: number;
};

/** What teams and operators do in a run. It is decided before the run begins. */
export type Workload = {
  readonly messages: readonly TeamMessage[];
  readonly cancels: readonly { readonly atMs: number; readonly team: string; readonly job: string }[];
  readonly datasets: readonly (DatasetRef & { readonly shards: readonly Shard[] })[];
  /** Objects that are added, changed or removed. */
  readonly changes: readonly (DatasetRef & { readonly atMs: number; readonly shards: readonly Shard[]; readonly key: string })[];
  /** Pools that are removed from the configuration. */
  readonly removals: readonly { readonly atMs: number; readonly pool: string }[];
  readonly programs: ReadonlyMap<string, SimProgram>;
  /** The team whose waiting jobs an operator cancels; undefined for none. */
  readonly purged?: string | undefined;
};

/** What carries out a workload. */
type Stage = {
  readonly after: (ms: number, then: () => void) => void;
  readonly send: (message: TeamMessage) => void;
  readonly cancel: (ref: JobRef) => void;
  /** Sets the objects of a dataset. */
  readonly put: (dataset: DatasetRef, shards: readonly Shard[]) => void;
  readonly addDataset: (dataset: DatasetRef) => void;
  readonly objectChanged: (key: string) => void;
  readonly removePool: (pool: string) => void;
};

/** Schedules everything that teams and operators do. */
export function scheduleWorkload({ messages, cancels, datasets, changes, removals }: Workload, stage: Stage): void {
  for (const message of messages) {
    stage.after(message.atMs, () => stage.send(message));
    if (message.repeatMs !== undefined) stage.after(message.atMs + message.repeatMs, () => stage.send(message));
  }
  for (const { atMs, team, job } of cancels) stage.after(atMs, () => stage.cancel({ team, job }));
  for (const { shards, ...dataset } of datasets) {
    stage.put(dataset, shards);
    stage.addDataset(dataset);
  }
  for (const { atMs, team, dataset, shards, key } of changes)
    stage.after(atMs, () => {
      stage.put({ team, dataset }, shards);
      stage.objectChanged(key);
    });
  for (const { atMs, pool } of removals) stage.after(atMs, () => stage.removePool(pool));
}

/** Returns until when work arrives, in ms of the run. */
const arriveMsOf = ({ minutes, arriveMinutes = (minutes * 2) / 3 }: Scenario): number => Math.floor(arriveMinutes * 60_000);

export function workloadOf(scenario: Scenario, chance: Chance): Workload {
  const { jobs, teams, minutes } = scenario;
  const spanMs = minutes * 60_000;
  const datasets = teams.flatMap((team) =>
    Array.from({ length: scenario.datasets.perTeam }, (_, n) => {
      const dataset = `data-${n + 1}`;
      return { team, dataset, shards: Array.from({ length: scenario.datasets.shards }, (_each, at) => shard({ team, dataset }, at, 1)) };
    }),
  );
  const programs = new Map<string, SimProgram>();
  const messages: TeamMessage[] = [];
  const cancels: { atMs: number; team: string; job: string }[] = [];
  const count = chance.between(jobs.count.from, jobs.count.to);
  for (let n = 1; n <= count; n += 1) {
    const team = chance.pick(teams);
    const job = `job-${n}`;
    const atMs = chance.happens(0.15) ? chance.between(0, 5_000) : chance.between(1_000, arriveMsOf(scenario));
    const repeatMs = chance.happens(jobs.repeated) ? chance.between(0, 120_000) : undefined;
    const repeat = repeatMs === undefined ? {} : { repeatMs };
    if (chance.happens(jobs.wrong)) {
      messages.push({ atMs, team, job, body: JSON.stringify({ id: job, comand: ["oops"] }), ...repeat });
      continue;
    }
    const failures = chance.happens(jobs.failing) ? chance.between(1, 2) : 0;
    const files = chance.between(jobs.artifacts.from, jobs.artifacts.to);
    programs.set(jobName({ team, job }), { seconds: chance.between(jobs.seconds.from, jobs.seconds.to), failures, files });
    messages.push({ atMs, team, job, body: JSON.stringify({ id: job, ...jobFields(scenario, chance, files) }), ...repeat });
    if (chance.happens(jobs.cancelled)) cancels.push({ atMs: atMs + chance.between(500, 240_000), team, job });
  }
  const changes = datasets.flatMap((of) => changesOf(of, chance, spanMs));
  const removals = removalsOf(scenario, chance.fork("removals"), spanMs);
  const { flood } = scenario;
  if (!flood) return { messages, cancels, datasets, changes, removals, programs };
  for (const name of floodNames(flood.team, flood.jobs)) programs.set(name, floodProgram);
  return { messages, cancels, datasets, changes, removals, programs, purged: flood.team };
}

const floodProgram: SimProgram = { seconds: 20, failures: 0, files: 0 };

/** Removes at most one pool, late enough for a tick to have registered it. At least one pool stays. */
function removalsOf({ pools, poolRemoved }: Scenario, chance: Chance, spanMs: number): Workload["removals"] {
  if (pools.length < 2 || !chance.happens(poolRemoved)) return [];
  return [{ atMs: chance.between(Math.floor(spanMs / 2), spanMs), pool: chance.pick(pools).name }];
}

function jobFields({ jobs, pools, datasets }: Scenario, chance: Chance, files: number): object {
  const gang = chance.happens(jobs.gangs);
  const reads = datasets.perTeam > 0 && chance.happens(jobs.reading);
  return {
    command: ["python", "train.py"],
    gpus: chance.happens(jobs.impossible) ? 64 : chance.between(jobs.gpus.from, gang ? Math.min(1, jobs.gpus.to) : jobs.gpus.to),
    retries: chance.between(0, 2),
    pool: chance.pick(pools).name,
    spot: chance.happens(0.8),
    priority: chance.pick([0, 0, 0, 5]),
    nodes: gang ? 2 : 1,
    artifacts: Array.from({ length: files }, (_, n) => `file-${n + 1}`),
    datasets: reads ? [{ name: `data-${chance.between(1, datasets.perTeam)}`, share: chance.pick(["whole", "part"]) }] : [],
  };
}

function changesOf(of: Workload["datasets"][number], chance: Chance, spanMs: number): Workload["changes"] {
  let { shards } = of;
  const times = Array.from({ length: chance.between(0, 2) }, () => chance.between(30_000, spanMs)).sort((a, b) => a - b);
  return times.map((atMs) => {
    const [first, ...others] = shards;
    const next = shard(of, chance.between(0, 99), chance.between(2, 9));
    shards = (
      first && others.length > 0 && chance.happens(0.3) ? others : [...shards.filter(({ key }) => key !== next.key), next]
    ).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    return { team: of.team, dataset: of.dataset, atMs, shards, key: next.key };
  });
}

const shard = ({ team, dataset }: DatasetRef, at: number, version: number): Shard => ({
  key: `${team}/${dataset}/${String(at).padStart(4, "0")}.bin`,
  bytes: 1000 + at,
  etag: `v${version}`,
});

/** Returns the content of an attempt's n-th file. No two attempts have the same. */
export const contentOf = ({ team, job, attempt }: AttemptRef, n: number): string => `file ${n} of ${team}/${job}#${attempt}`;
