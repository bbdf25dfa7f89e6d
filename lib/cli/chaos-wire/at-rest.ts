import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inWords } from "../../model/errors/in-words.ts";
import { isEnded, type Job } from "../../model/job.ts";
import type { AtRest } from "./checks.ts";
import type { WireStage } from "./stage.ts";
import type { WireJob } from "./workload.ts";

/** Time limit for the fleet to come to rest. It is long because a message whose handler failed returns after minutes, as on AWS. */
const restWithinMs = 240_000;
export const lookMs = 250;

/** A job, and its record when it was looked at. */
export type Ended = { readonly sent: WireJob; readonly job: Job | undefined };

/** Waits until the fleet is at rest or the time limit is over, and returns the jobs. */
export async function rested(stage: WireStage, sent: readonly WireJob[]): Promise<readonly Ended[]> {
  const untilMs = performance.now() + restWithinMs;
  for (;;) {
    const jobs = await jobsOf(stage, sent);
    const isOver = jobs.every(({ job }) => job && isEnded(job.state)) && (await isAtZero(stage));
    if (isOver || performance.now() > untilMs || !(await stage.waited(lookMs, stage.stop))) return jobs;
  }
}

export const jobsOf = ({ connection }: WireStage, sent: readonly WireJob[]): Promise<readonly Ended[]> =>
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

export async function look(stage: WireStage, of: { jobs: readonly Ended[]; folder: string; before: number }): Promise<AtRest> {
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

/** Returns the contents of artifacts. One that cannot be unsealed has the reason instead, so that the check reports it. */
async function unsealed({ connection }: WireStage, job: Job | undefined, folder: string): Promise<Readonly<Record<string, string>>> {
  const left: Record<string, string> = {};
  const kept = job && (await connection.artifacts.list(job).catch(() => undefined));
  for (const artifact of kept?.artifacts ?? []) {
    const file = join(folder, "unsealed", job?.team ?? "", job?.job ?? "", artifact.path);
    try {
      if (job) await connection.artifacts.open(job, artifact, file);
      left[artifact.path] = await readFile(file, "utf8");
    } catch (error) {
      left[artifact.path] = `not unsealed: ${inWords(error)}`;
    }
  }
  return left;
}
