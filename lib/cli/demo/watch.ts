import { setTimeout as pause } from "node:timers/promises";
import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { JobReader } from "../../ports/jobs.ts";

export type Watched = {
  readonly job: Job;
  /** Every node it was seen on, in order. */
  readonly nodes: readonly string[];
  /** Every set of nodes that it was seen on as a gang. */
  readonly gangs: readonly (readonly string[])[];
};

export type Watching = {
  readonly jobs: readonly { readonly team: string; readonly job: string }[];
  readonly reader: JobReader;
  readonly tell: (job: Job) => void;
  readonly signal: AbortSignal;
};

/** Follows jobs until all have ended or the signal says stop, and tells every change of state. */
export async function watch(watching: Watching): Promise<readonly Watched[]> {
  const seen = new Map<string, Watched>();
  const told = new Map<string, string>();
  const look = async (ref: { team: string; job: string }): Promise<void> => {
    const job = await watching.reader.get(ref);
    if (!job) return;
    const name = jobName(job);
    const { nodes, gangs }: Pick<Watched, "nodes" | "gangs"> = seen.get(name) ?? { nodes: [], gangs: [] };
    seen.set(name, {
      job,
      nodes: job.node && !nodes.includes(job.node) ? [...nodes, job.node] : nodes,
      gangs: job.gang ? [...gangs, job.gang] : gangs,
    });
    const news = `${job.state} ${job.attempt}`;
    if (told.get(name) !== news) watching.tell(job);
    told.set(name, news);
  };
  const ended = (): boolean => seen.size === watching.jobs.length && [...seen.values()].every(({ job }) => isEnded(job.state));
  while (!ended() && !watching.signal.aborted) {
    await Promise.all(watching.jobs.map(look));
    await pause(100);
  }
  return [...seen.values()];
}
