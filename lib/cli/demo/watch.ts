import { setTimeout as pause } from "node:timers/promises";
import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { JobReader } from "../../ports/jobs.ts";

export type Watched = {
  readonly job: Job;
  /** Every node that the job was seen on, in order. */
  readonly nodes: readonly string[];
  /** Every set of nodes that the job was seen on as a gang. */
  readonly gangs: readonly (readonly string[])[];
};

export type Watching = {
  readonly jobs: readonly { readonly team: string; readonly job: string }[];
  readonly reader: JobReader;
  readonly onJob: (job: Job) => void;
  readonly signal: AbortSignal;
};

/** More jobs than any team has here. */
const listed = 100;
const lookMs = 150;

/** Follows jobs until all have ended or the signal aborts, and reports every change of state. Each poll lists the jobs once per team. */
export async function watch(watching: Watching): Promise<readonly Watched[]> {
  const { reader } = watching;
  const seen = new Map<string, Watched>();
  const reported = new Map<string, string>();
  const wanted = new Set(watching.jobs.map(jobName));
  const teams = [...new Set(watching.jobs.map(({ team }) => team))];
  const note = async (summary: Job): Promise<void> => {
    const name = jobName(summary);
    if (!wanted.has(name) || reported.get(name) === newsOf(summary)) return;
    const before = seen.get(name);
    const reportedState = before && stateOf(before.job);
    // A listed job has no spec and no artifacts.
    const job = (await reader.get(summary)) ?? summary;
    const { nodes, gangs }: Pick<Watched, "nodes" | "gangs"> = before ?? { nodes: [], gangs: [] };
    seen.set(name, {
      job,
      nodes: job.node && !nodes.includes(job.node) ? [...nodes, job.node] : nodes,
      gangs: job.gang ? [...gangs, job.gang] : gangs,
    });
    reported.set(name, newsOf(job));
    if (stateOf(job) !== reportedState) watching.onJob(job);
  };
  const ended = (): boolean => seen.size === wanted.size && [...seen.values()].every(({ job }) => isEnded(job.state));
  while (!ended() && !watching.signal.aborted) {
    const pages = await Promise.all(teams.map((team) => reader.list({ team, limit: listed })));
    await Promise.all(pages.flatMap(({ jobs }) => jobs).map(note));
    await pause(lookMs);
  }
  return [...seen.values()];
}

const stateOf = ({ state, attempt }: Job): string => `${state} ${attempt}`;
/** Includes the node, so that every node of a job is noticed. */
const newsOf = (job: Job): string => `${stateOf(job)} ${job.node ?? ""}`;
