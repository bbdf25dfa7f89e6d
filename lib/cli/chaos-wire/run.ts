import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LocalCloud } from "../../local/cloud.ts";
import { isEnded, type Job } from "../../model/job.ts";
import { Chance } from "../../sim/faults/chance.ts";
import type { Connection } from "../session/connection.ts";
import { type AtRest, checks } from "./checks.ts";
import { faultsOf } from "./faults.ts";
import { type WireJob, workloadOf } from "./workload.ts";

export type WireStage = {
  readonly cloud: Pick<LocalCloud, "ec2" | "invoke" | "kill">;
  readonly connection: Pick<Connection, "queue" | "jobs" | "artifacts" | "api">;
  readonly print: (line: string) => void;
  readonly stop: AbortSignal;
  /** Waits that long, ms. Returns true after the time, or false if the signal was aborted. */
  readonly waited: (ms: number, stop: AbortSignal) => Promise<boolean>;
};

export type WireRun = {
  readonly seed: number;
  /** Number of faults that struck, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** How jobs ended. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly found: readonly { readonly check: string; readonly wrong: string }[];
  readonly wallMs: number;
};

/** Time limit for the fleet to come to rest. It is long because a message whose handler failed returns after minutes, as on AWS. */
export const restWithinMs = 240_000;
const lookMs = 250;
/** Interval between ticks. The schedule ticks only once per minute, which would make runs slow. */
const tickMs = 3_000;

/** Does one run: sends jobs and faults at their times, waits for rest, then checks. If `stop` aborts, it stops at once and throws. */
export async function runWire(stage: WireStage, seed: number): Promise<WireRun> {
  const startedMs = performance.now();
  const chance = new Chance(`wire ${seed}`);
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-chaos-wire-"));
  const over = new AbortController();
  const ticking = ticks(stage, AbortSignal.any([stage.stop, over.signal]));
  try {
    const workload = workloadOf(seed, chance.fork("workload"), folder);
    const before = stage.cloud.ec2.record.fleetCalls.length;
    const [faults] = await Promise.all([strikeAll(stage, chance.fork("faults")), sendAll(stage, workload)]);
    const jobs = await rested(stage, workload);
    stage.stop.throwIfAborted();
    const rest = await look(stage, { jobs, folder, before });
    const found = checks.flatMap(({ name, wrong }) => wrong(rest).map((each) => ({ check: name, wrong: each })));
    return { seed, faults, jobs: countBy(jobs.map(({ job }) => job?.state ?? "unknown")), found, wallMs: performance.now() - startedMs };
  } finally {
    over.abort();
    await ticking;
    await rm(folder, { recursive: true, force: true });
  }
}

async function sendAll({ connection, stop, waited }: WireStage, jobs: readonly WireJob[]): Promise<void> {
  const sends = jobs.flatMap(({ team, body, atMs, againAtMs }) => [atMs, ...againAtMs].map((at) => ({ team, body, at })));
  await Promise.all(
    sends.map(async ({ team, body, at }) => {
      if (await waited(at, stop)) await connection.queue.send(team, body);
    }),
  );
}

async function strikeAll({ cloud, print, stop, waited }: WireStage, chance: Chance): Promise<WireRun["faults"]> {
  const struck: string[] = [];
  const seams = { record: cloud.ec2.record, kill: cloud.kill };
  await Promise.all(
    faultsOf(chance).map(async ({ kind, atMs, strike }) => {
      if (!(await waited(atMs, stop)) || !(await strike(seams))) return;
      struck.push(kind);
      print(kind);
    }),
  );
  return countBy(struck);
}

/** Ticks more often than the schedule. The next tick makes up for one that failed because it was killed or throttled. */
async function ticks({ cloud, waited }: WireStage, over: AbortSignal): Promise<void> {
  while (await waited(tickMs, over)) await cloud.invoke("tick", { tick: "minute" }).catch(() => undefined);
}

type Ended = { readonly sent: WireJob; readonly job: Job | undefined };

/** Waits until the fleet is at rest or the time limit is over, and returns the jobs. */
async function rested(stage: WireStage, sent: readonly WireJob[]): Promise<readonly Ended[]> {
  const untilMs = performance.now() + restWithinMs;
  for (;;) {
    const jobs = await jobsOf(stage, sent);
    const isOver = jobs.every(({ job }) => job && isEnded(job.state)) && (await isAtZero(stage));
    if (isOver || performance.now() > untilMs || !(await stage.waited(lookMs, stage.stop))) return jobs;
  }
}

const jobsOf = ({ connection }: WireStage, sent: readonly WireJob[]): Promise<readonly Ended[]> =>
  Promise.all(sent.map(async (each) => ({ sent: each, job: await connection.jobs.get(each) })));

async function isAtZero(stage: WireStage): Promise<boolean> {
  if (stage.cloud.ec2.record.remaining().length > 0) return false;
  return (await poolsOf(stage)).every(
    ({ reserved, openLaunches }) => reserved.gpus === 0 && reserved.usdPerHour === 0 && openLaunches.length === 0,
  );
}

async function poolsOf({ connection: { api } }: WireStage): Promise<AtRest["pools"]> {
  return (await api.pools()).items;
}

async function look(stage: WireStage, of: { jobs: readonly Ended[]; folder: string; before: number }): Promise<AtRest> {
  const { record } = stage.cloud.ec2;
  const later = await jobsOf(
    stage,
    of.jobs.map(({ sent }) => sent),
  );
  const jobs = await Promise.all(
    of.jobs.map(async ({ sent, job }, n) => ({
      sent,
      job,
      later: later[n]?.job,
      left: await unsealed(stage, job, of.folder),
      ran: (await readFile(sent.trace, "utf8").catch(() => "")).split("\n").filter(Boolean).map(Number),
    })),
  );
  return {
    jobs,
    remaining: record.remaining().map(({ id }) => id),
    pools: await poolsOf(stage),
    fleetCalls: record.fleetCalls.slice(of.before),
  };
}

/** Returns the contents of artifacts. One that cannot be unsealed is left out, so that the check reports it. */
async function unsealed({ connection }: WireStage, job: Job | undefined, folder: string): Promise<Readonly<Record<string, string>>> {
  const left: Record<string, string> = {};
  const kept = job && (await connection.artifacts.list(job).catch(() => undefined));
  for (const artifact of kept?.artifacts ?? []) {
    const file = join(folder, "unsealed", job?.team ?? "", job?.job ?? "", artifact.path);
    try {
      if (job) await connection.artifacts.open(job, artifact, file);
      left[artifact.path] = await readFile(file, "utf8");
    } catch {}
  }
  return left;
}

/** Does runs one after the other, each with the next seed, until the signal is aborted. `nth` counts them from 1. */
export async function inTurn<T>(
  { first, runs, signal }: { readonly first: number; readonly runs: number; readonly signal: AbortSignal },
  run: (seed: number, nth: number) => Promise<T>,
): Promise<readonly T[]> {
  const done: T[] = [];
  for (let nth = 1; nth <= runs && !signal.aborted; nth += 1) done.push(await run(first + nth - 1, nth));
  return done;
}

/** Waits in real time. */
export const reallyWaited: WireStage["waited"] = (ms, stop) =>
  pause(ms, undefined, { signal: stop }).then(
    () => true,
    () => false,
  );

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
