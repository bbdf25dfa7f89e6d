import { type Attempt, type AttemptNews, attemptNews } from "../../model/history/attempt.ts";
import { type AttemptRef, endCodeOf, isEnded, type Job, type JobRecord, type JobRef, type QueueEntry, waiting } from "../../model/job.ts";
import type { Launch, Reservation } from "../../model/launch.ts";
import type { LimitScope, WiderReserved } from "../../model/limits.ts";
import { type Assignment, type BootFailure, lifeOf, type Node, type SilentEnd } from "../../model/node.ts";
import type { Catalogue } from "../../model/offer.ts";
import { changed, noOverrides, type Overrides } from "../../model/overrides/overrides.ts";
import type { Learned } from "../../model/plan.ts";
import type { Spent } from "../../model/pool.ts";
import type { Refusal } from "../../model/refusal.ts";
import { micro } from "../../model/reservations.ts";
import type { BackOff } from "../../model/values/back-off.ts";
import type { Hearing } from "../../model/values/hearing.ts";
import type { FailureCode } from "../../model/values/job-end.ts";
import { costByDay, periodName } from "../../model/values/period.ts";
import type { Fence } from "../../ports/pool-ledger.ts";
import { MemoryQueue } from "./queue.ts";

type PoolRow = {
  bell: number;
  decidedThrough: number;
  epoch: number;
  /** Whole micro-dollars, as the real table keeps them. */
  microUsd: number;
  gpus: number;
  busy: boolean;
  wakeAtMs: number | undefined;
  lookedAtMs?: number | undefined;
  causes: readonly string[];
  /** Whole micro-dollars by UTC day. */
  readonly spent: Map<string, number>;
  /** The same for each team's own nodes. */
  readonly spentByTeam: Map<string, Map<string, number>>;
};

/** Whole micro-dollars per hour, as the real table keeps them, and GPUs. */
export type ReservedAmount = { microUsd: number; gpus: number };

/** What changes about a job that gets a new state. `failure` is set if it fails. */
export type JobMove = Partial<Job> & Pick<Job, "state"> & { readonly failure?: FailureCode | undefined };

export type NodeRow = { readonly node: Node; readonly released: boolean };

export const jobKey = ({ team, job }: JobRef): string => `${team}/${job}`;
export const nodeKey = (pool: string, node: string): string => `${pool}/${node}`;
export const sameAttempt = (a: AttemptRef, b: AttemptRef): boolean => a.team === b.team && a.job === b.job && a.attempt === b.attempt;

/**
 * The data of the fakes, and the few writes that several of them share. Everything is synchronous, so that each
 * method of a fake is one transaction. Tests may read and change it.
 */
export class MemoryTable {
  readonly jobs = new Map<string, JobRecord>();
  /** The jobs that a lagging reader sees: every job as it was before the newest write to any job. */
  readonly laggingJobs = new Map<string, Job>();
  /** The attempts of each job, oldest first. */
  readonly attempts = new Map<string, readonly Attempt[]>();
  readonly queue = new MemoryQueue();
  readonly nodes = new Map<string, NodeRow>();
  readonly forgotten = new Map<string, Node>();
  /** The pool of every instance that was ever a node. */
  readonly instances = new Map<string, string>();
  readonly openLaunches = new Map<string, Launch>();
  readonly settledLaunches = new Map<
    string,
    { readonly launch: Launch; readonly nodes: readonly string[]; readonly settledAtMs: number }
  >();
  /** Refusals by subject. */
  readonly refusals = new Map<string, Refusal>();
  /** Boot failures by pool, then by node. */
  readonly silentEnds = new Map<string, Map<string, SilentEnd>>();
  readonly bootFailures = new Map<string, Map<string, BootFailure>>();
  /** Whether the deployment hears workers. */
  hearing: Hearing | undefined;
  /** What each pool could not do lately. */
  readonly backOffs = new Map<string, readonly BackOff[]>();
  /** The optimizer's statistics, by pool. */
  readonly learned = new Map<string, Learned>();
  /** What admins have ordered, by pool, and what they have set across pools. */
  readonly overrides = new Map<string, Overrides>();
  /** The names of the registered pools. */
  readonly registry = new Set<string>();
  readonly orphans = new Map<string, number>();
  /** When a message about an outbox was last sent by a sweep, by the outbox's key. */
  readonly outboxClaims = new Map<string, number>();
  readonly catalogues = new Map<string, Catalogue>();
  readonly sealingSince = new Map<string, { readonly attempt: AttemptRef; readonly sinceMs: number; readonly lastAtMs?: number }>();
  /** The reservations of all pools together, for the deployment and per team. */
  readonly deployment: ReservedAmount = { microUsd: 0, gpus: 0 };
  readonly teams = new Map<string, ReservedAmount>();
  readonly poolRows = new Map<string, PoolRow>();
  #newest: JobRecord | undefined;

  pool(name: string): PoolRow {
    const quiet = { bell: 0, decidedThrough: 0, epoch: 0, microUsd: 0, gpus: 0, busy: false, wakeAtMs: undefined, causes: [] };
    const row = this.poolRows.get(name) ?? {
      ...quiet,
      spent: new Map<string, number>(),
      spentByTeam: new Map<string, Map<string, number>>(),
    };
    this.poolRows.set(name, row);
    return row;
  }

  isFenced = (fence: Fence): boolean => this.pool(fence.pool).epoch !== fence.epoch;

  reserved(pool: string): Reservation {
    return inDollars(this.pool(pool));
  }

  reservedWider(): WiderReserved {
    const teams = [...this.teams].map(([team, amount]) => [team, inDollars(amount)] as const);
    return { deployment: inDollars(this.deployment), teams: Object.fromEntries(teams) };
  }

  /** Returns the counters that include the reservations of a pool's nodes and launches, and of the team's if there is one. */
  counters(pool: string, team: string | undefined): { readonly scope: LimitScope; readonly amount: ReservedAmount }[] {
    const both = [
      { scope: "pool" as const, amount: this.pool(pool) },
      { scope: "deployment" as const, amount: this.deployment },
    ];
    if (team === undefined) return both;
    const amount = this.teams.get(team) ?? { microUsd: 0, gpus: 0 };
    this.teams.set(team, amount);
    return [...both, { scope: "team", amount }];
  }

  /** Reserves this much more, or releases it if the amount is negative. */
  reserve(of: { readonly pool: string; readonly team?: string | undefined }, more: ReservedAmount): void {
    for (const { amount } of this.counters(of.pool, of.team)) {
      amount.microUsd += more.microUsd;
      amount.gpus += more.gpus;
    }
  }

  spent(pool: string, nowMs: number): Spent {
    const { spent, spentByTeam } = this.pool(pool);
    const teams = [...spentByTeam].map(([team, days]) => [team, spentIn(days, nowMs)] as const).filter(([, sums]) => sums.isAny);
    const { isAny: _any, ...whole } = spentIn(spent, nowMs);
    return {
      ...whole,
      ...(teams.length > 0 && { teams: Object.fromEntries(teams.map(([team, { isAny: _some, ...sums }]) => [team, sums])) }),
    };
  }

  /** Records what a pool's nodes, and the own nodes of teams, have cost on the day of `nowMs`, as if they had ended. */
  spendBefore(pool: string, { usd, teams }: { usd: number; teams: Readonly<Record<string, number>> }, nowMs: number): void {
    const day = periodName("day", nowMs);
    const { spent, spentByTeam } = this.pool(pool);
    spent.set(day, micro(usd));
    for (const [team, its] of Object.entries(teams)) spentByTeam.set(team, new Map([[day, micro(its)]]));
  }

  /** Sets how many nodes a pool keeps until a time, as an admin does. */
  setMinimum(pool: string, { minNodes, untilMs }: { minNodes: number; untilMs: number }, nowMs: number): void {
    this.overrides.set(pool, changed(noOverrides, { kind: "set", values: { minNodes }, untilMs }, { by: "Admin/ada", atMs: nowMs }));
  }

  /** Called after each write of a job. */
  onJob: (before: JobRecord | undefined, after: JobRecord) => void = () => undefined;

  putJob(job: JobRecord): void {
    const before = this.jobs.get(jobKey(job));
    if (this.#newest) this.laggingJobs.set(jobKey(this.#newest), this.#newest);
    this.#newest = present(job);
    this.jobs.set(jobKey(job), this.#newest);
    this.onJob(before, job);
  }

  /** `notBeforeMs`: the job rests until then. */
  enqueue(job: Job, notBeforeMs?: number): void {
    if (!job.spec) throw new Error(`${jobKey(job)} has no spec and cannot wait`);
    const entry = { ...waiting({ ...job, spec: job.spec }), ...present({ reason: job.reason, notBeforeMs }) };
    this.queue.set(jobKey(job), { pool: job.pool, entry });
  }

  queueOf(pool: string): readonly QueueEntry[] {
    return this.queue.whole(pool).queue;
  }

  /** Adds a node as if its launch had been settled long ago, without reserving anything. */
  putNode(node: Node, released = false): void {
    this.nodes.set(nodeKey(node.pool, node.id), { node, released });
    this.instances.set(node.id, node.pool);
  }

  /** Changes a node in place and returns it, or returns undefined if there is no such node. */
  changeNode(pool: string, id: string, change: Partial<Node>): Node | undefined {
    const row = this.nodes.get(nodeKey(pool, id));
    if (!row) return undefined;
    const node = { ...row.node, ...change };
    this.nodes.set(nodeKey(pool, id), { ...row, node });
    return node;
  }

  setAssignments(node: Node, assignments: readonly Assignment[], atMs: number | undefined): void {
    const sorted = [...assignments].sort((a, b) => (assignmentName(a) < assignmentName(b) ? -1 : 1));
    this.changeNode(node.pool, node.id, { assignments: sorted, ...(atMs === undefined ? {} : { lastBusyMs: atMs }) });
  }

  /** Releases what the node has reserved and records its cost, unless that was done before. */
  release(pool: string, id: string, atMs: number): void {
    const row = this.nodes.get(nodeKey(pool, id));
    if (!row || row.released) return;
    const state = this.pool(pool);
    this.reserve(row.node, { microUsd: -micro(row.node.offer.usdPerHour), gpus: -row.node.type.resources.gpus });
    const { team } = row.node;
    const ofTeam = team === undefined ? undefined : (state.spentByTeam.get(team) ?? new Map<string, number>());
    if (team !== undefined && ofTeam) state.spentByTeam.set(team, ofTeam);
    for (const [day, microUsd] of costByDay(lifeOf(row.node, atMs)))
      for (const days of [state.spent, ofTeam]) days?.set(day, (days.get(day) ?? 0) + microUsd);
    this.nodes.set(nodeKey(pool, id), { node: { ...row.node, released: true }, released: true });
  }

  /**
   * Writes a job's new state and what follows from it: its end, its queue entry, its attempt's record, and whether it waits to be sealed.
   * `reported`: what its worker reported about the attempt.
   */
  moveJob(
    job: JobRecord,
    { failure, ...to }: JobMove,
    on: {
      readonly atMs: number;
      readonly reported?: Pick<AttemptNews, "startedAtMs" | "exitCode"> & { failed: boolean };
      readonly pauseMs?: number | undefined;
    },
  ): void {
    const { atMs, reported, pauseMs } = on;
    const requeued = to.state === "queued";
    if (job.state !== "queued") this.#noteAttempt(job, attemptNews({ ...reported, state: to.state, reason: to.reason }, atMs));
    const moved: JobRecord = {
      ...job,
      reason: undefined,
      ...to,
      ...(requeued ? { attempt: job.attempt + 1, ...offNodes } : {}),
      ...(isEnded(to.state) ? { endedAtMs: atMs, endCode: endCodeOf(to.state, failure) } : {}),
    };
    this.putJob(moved);
    if (requeued) this.enqueue(moved, pauseMs === undefined ? undefined : atMs + pauseMs);
    else this.queue.delete(jobKey(job));
    if (to.state === "sealing") this.awaitSealing(job, atMs);
  }

  beginAttempt(job: JobRef, attempt: Attempt): void {
    const others = (this.attempts.get(jobKey(job)) ?? []).filter((each) => each.attempt !== attempt.attempt);
    this.attempts.set(jobKey(job), [...others, attempt]);
  }

  #noteAttempt(job: AttemptRef, news: AttemptNews): void {
    const noted = (this.attempts.get(jobKey(job)) ?? []).map((each) =>
      each.attempt === job.attempt
        ? {
            ...each,
            ...present(news),
            ...present({ startedAtMs: each.startedAtMs ?? news.startedAtMs, endedAtMs: each.endedAtMs ?? news.endedAtMs }),
          }
        : each,
    );
    this.attempts.set(jobKey(job), noted);
  }

  /** Records that an attempt waits to be sealed. */
  awaitSealing(attempt: AttemptRef, sinceMs: number): void {
    this.sealingSince.set(attemptName(attempt), { attempt: attemptRef(attempt), sinceMs });
  }
}

/** `isAny`: anything was recorded in the month. */
function spentIn(
  days: ReadonlyMap<string, number>,
  nowMs: number,
): { readonly dayUsd: number; readonly monthUsd: number; readonly isAny: boolean } {
  const month = [...days].filter(([day]) => day.startsWith(periodName("month", nowMs)));
  const monthUsd = month.reduce((sum, [, microUsd]) => sum + microUsd, 0) / 1e6;
  return { dayUsd: (days.get(periodName("day", nowMs)) ?? 0) / 1e6, monthUsd, isAny: month.length > 0 };
}

const inDollars = ({ microUsd, gpus }: ReservedAmount): Reservation => ({ usdPerHour: microUsd / 1e6, gpus });

/** The fields of a job that is no longer on any node. */
export const offNodes = { node: undefined, gang: undefined } as const;

export const attemptName = ({ team, job, attempt }: AttemptRef): string => `${team}/${job}#${attempt}`;
export const attemptRef = ({ team, job, attempt }: AttemptRef): AttemptRef => ({ team, job, attempt });
const assignmentName = attemptName;

/** Returns the item without keys whose value is undefined, because a table does not store them. */
export function present<T extends object>(item: T): T {
  const kept = { ...item };
  for (const key in kept) if (kept[key] === undefined) delete kept[key];
  return kept;
}
