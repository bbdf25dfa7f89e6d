import { JobMessage, specOf } from "../../../events/job.ts";
import { type SubmitDeps, submitJob } from "../../flows/submit-job.ts";
import { type JobRecord, type JobRef, type JobSpec, jobName } from "../../model/job.ts";
import type { QueueRow } from "../memory/queue.ts";
import type { SimClock } from "./clock.ts";
import type { Handled } from "./queue.ts";
import type { Scenario } from "./scenario.ts";

/** A job of a team that tries to stop a pool: it wants what no other job wants. */
export type CraftedJob = { readonly job: string; readonly message: CraftedMessage };

/** A message that has every field. */
type CraftedMessage = JobSpec;

const usual: CraftedMessage = specOf(JobMessage.parse({ command: ["true"], vcpus: 2, memoryGiB: 8, priority: 1000 }));

/** The kinds of crafted jobs, one after the other: each costs a decision something else. */
const craft: readonly ((n: number) => Partial<CraftedMessage>)[] = [
  // Sizes that no other job has.
  (n) => ({ vcpus: 0.1 + ((n * 7919) % 3000) / 1000, memoryGiB: 0.1 + ((n * 104_729) % 13_000) / 1000 }),
  // Lists of models that contain one that exists.
  (n) => ({ gpus: { count: 1, memoryGiB: 0, models: ["A10G", ...unknownModels(n)] } }),
  // Dear ones that only one type holds, and only on demand.
  (n) => ({ gpus: { count: 4, memoryGiB: 0, models: [] }, vcpus: 1 + (n % 40), memoryGiB: 1 + n / 1000, spot: false }),
  // Gangs of many sizes.
  (n) => ({ nodes: 2 + (n % 7), memoryGiB: 1 + n / 10_000, gpus: { count: 1, memoryGiB: (n % 22) + 0.1, models: [] } }),
  // Zones that do not exist next to one that does.
  (n) => ({ zones: ["us-east-1a", ...Array.from({ length: 5 }, (_, k) => `us-east-${n + k}b`)], vcpus: 1 + (n % 300) / 100 }),
  // Some without GPUs.
  (n) => ({
    gpus: { count: 0, memoryGiB: 0, models: [] },
    vcpus: 0.1 + (n % 4000) / 1000,
    memoryGiB: 1 + n / 10_000,
    priority: 1000 - (n % 2000),
  }),
  // Impossible ones.
  (n) => ({ gpus: { count: 64, memoryGiB: n % 1000, models: [] }, memoryGiB: 1 + n / 1000 }),
];

const unknownModels = (n: number): string[] => Array.from({ length: 19 }, (_, k) => `${n.toString(36)}-${k}-`.padEnd(40, "x"));

/** Returns the n-th crafted job. */
export function craftedJob(n: number): CraftedJob {
  return { job: `flood-${n}`, message: { ...usual, ...craft[n % craft.length]?.(n) } };
}

export type FloodBatch = {
  readonly team: string;
  readonly pool: string;
  readonly jobs: readonly CraftedJob[];
  readonly sentAtMs: number;
  readonly maxQueued: number;
};

/** Of so many jobs of a batch, one is parsed and judged as `submit-jobs` does. Parsing all would take most of a run's time. */
const parsedOfEach = 50;

/**
 * Submits a batch. Some of its messages take the whole way through `submit-jobs`. The others are admitted as it would admit them, or
 * recorded as rejected if too many wait.
 */
export async function submitFlood(deps: SubmitDeps, { team, pool, jobs, sentAtMs, maxQueued }: FloodBatch): Promise<void> {
  for (const [n, { job, message }] of jobs.entries()) {
    if (n % parsedOfEach === 0) {
      await submitJob(deps, { team, messageId: job, sentAtMs, body: JSON.stringify({ id: job, pool, ...message }) });
      continue;
    }
    const spec: JobSpec = { ...message, pool };
    const record = { team, job, pool, spec, bodyHash: `hash of ${job}`, attempt: 1, failures: 0, submittedAtMs: sentAtMs };
    const admitted = await deps.admissions.admit({ ...record, state: "queued" }, { maxQueued });
    if (admitted.kind === "full") await deps.admissions.admit(rejected(record));
  }
  const { wasQuiet } = await deps.bell.ring(pool, "job");
  if (wasQuiet) await deps.lane.send(pool);
}

const rejected = ({ spec: _spec, ...record }: Omit<JobRecord, "state">): JobRecord => ({
  ...record,
  state: "rejected",
  endedAtMs: record.submittedAtMs,
  endCode: "rejected",
  reason: "too many jobs of the team wait",
});

/** Returns the names of a flood's jobs. */
export const floodNames = (team: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n): JobRef => ({ team, job: `flood-${n}` })).map(jobName);

export type FloodWorld = {
  readonly clock: SimClock;
  readonly handlers: {
    readonly flood: (batch: Omit<FloodBatch, "maxQueued">) => Promise<Handled>;
    readonly purge: (jobs: readonly JobRef[]) => Promise<Handled>;
  };
  /** Calls a handler until it succeeds. */
  readonly insist: (call: () => Promise<Handled>) => void;
  /** Called when SQS has accepted a job's message. */
  readonly accept: (job: JobRef) => void;
  readonly waiting: () => Iterable<QueueRow>;
  /** How long after the beginning of the run an operator ends the flood. */
  readonly endsMs: number;
};

/** A flood's jobs arrive in batches. */
const batchMs = 100;
const purgedAtOnce = 100;

/** Schedules the arrival of a flood, and its end: what still waits is cancelled, as an operator does with `fleet purge`. */
export function scheduleFlood(flood: NonNullable<Scenario["flood"]>, world: FloodWorld): void {
  const { team, pool, jobs, atSecond, seconds } = flood;
  const { clock, handlers, insist, accept, waiting, endsMs } = world;
  const batches = Math.ceil((seconds * 1000) / batchMs);
  for (let batch = 0; batch < batches; batch += 1) {
    const from = Math.floor((batch * jobs) / batches);
    const count = Math.floor(((batch + 1) * jobs) / batches) - from;
    clock.after(atSecond * 1000 + batch * batchMs, () => {
      const crafted = Array.from({ length: count }, (_, n) => craftedJob(from + n));
      for (const { job } of crafted) accept({ team, job });
      const sentAtMs = clock.nowMs;
      insist(() => handlers.flood({ team, pool, jobs: crafted, sentAtMs }));
    });
  }
  clock.after(endsMs, () => {
    const left = [...waiting()].map(({ entry }) => entry).filter((entry) => entry.team === team);
    for (let from = 0; from < left.length; from += purgedAtOnce) {
      const refs = left.slice(from, from + purgedAtOnce).map(({ job }) => ({ team, job }));
      insist(() => handlers.purge(refs));
    }
  });
}
