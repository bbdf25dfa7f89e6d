import { Chance } from "../../sim/faults/chance.ts";
import { look, rested } from "./at-rest.ts";
import { checks } from "./checks.ts";
import { faultsOf } from "./faults.ts";
import { countBy, runFolder, type WireRun, type WireStage } from "./stage.ts";
import { type WireJob, workloadOf } from "./workload.ts";

/** Interval between ticks. The schedule ticks only once per minute, which would make runs slow. */
const tickMs = 3_000;

/** Does one run: sends jobs and faults at their times, waits for rest, then checks. If `stop` aborts, it stops at once and throws. */
export async function runWire(stage: WireStage, seed: number): Promise<WireRun> {
  const startedMs = performance.now();
  const chance = new Chance(`wire ${seed}`);
  const folder = await runFolder(stage, seed);
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

/** Does runs one after the other, each with the next seed, until the signal is aborted. `nth` counts them from 1. */
export async function inTurn<T>(
  { first, runs, signal }: { readonly first: number; readonly runs: number; readonly signal: AbortSignal },
  run: (seed: number, nth: number) => Promise<T>,
): Promise<readonly T[]> {
  const done: T[] = [];
  for (let nth = 1; nth <= runs && !signal.aborted; nth += 1) done.push(await run(first + nth - 1, nth));
  return done;
}
