import type { FleetCall } from "../../local/ec2/record.ts";
import { duration } from "../terminal/duration.ts";
import { tableLines } from "../terminal/table.ts";
import { jobFacts, waitMs } from "../views/job-view.ts";
import type { Watched } from "./watch.ts";

export type Summary = {
  readonly jobs: readonly {
    readonly id: string;
    readonly team: string;
    readonly state: string;
    readonly attempts: number;
    readonly waitMs: number | null;
    readonly reason: string | null;
  }[];
  /** Time from SQS's acceptance of a job to the CreateFleet call for its node, for jobs that needed a new node. */
  readonly eventToLaunchMs: { readonly p50: number | null; readonly p99: number | null };
  readonly instances: { readonly launched: number; readonly remaining: number };
  readonly artifacts: { readonly sealed: number; readonly verified: number };
  /** Jobs whose spot instance was taken back while they ran, by outcome. */
  readonly interruptions: { readonly noticed: number; readonly resumed: number; readonly lost: number };
  /** Alarms that went off, and those that are recorded as the cause of a decision. */
  readonly alarms: { readonly fired: number; readonly handled: number };
  /** Objects of the dataset; objects that jobs fetched, counted once per job; and those whose content equals the object on S3. */
  readonly datasets: { readonly shards: number; readonly fetched: number; readonly verified: number; readonly mapVersion: number };
  /** Gangs that started, and gangs that were ever seen with fewer nodes than they asked for. */
  readonly gangs: { readonly started: number; readonly partial: number };
  readonly ok: boolean;
};

export const jobRows = (watched: readonly Pick<Watched, "job">[]): Summary["jobs"] =>
  watched.map(({ job }) => ({
    id: job.job,
    team: job.team,
    state: job.state,
    attempts: jobFacts(job).attempts,
    waitMs: waitMs(job),
    reason: job.reason ?? null,
  }));

/** Counts gangs. A gang must never run on fewer nodes than it asked for. */
export function gangsOf(watched: readonly Pick<Watched, "job" | "gangs">[]): Summary["gangs"] {
  const gangs = watched.filter(({ job }) => (job.spec?.nodes ?? 1) > 1);
  return {
    started: gangs.filter(({ job }) => job.startedAtMs !== undefined).length,
    partial: gangs.filter(({ job, gangs: seen }) => seen.some((nodes) => new Set(nodes).size !== job.spec?.nodes)).length,
  };
}

/** Returns per job the time from SQS's acceptance to the launch of its first node. Omits jobs whose node existed before. */
export function eventToLaunch(watched: readonly Pick<Watched, "job" | "nodes">[], calls: readonly FleetCall[]): number[] {
  return watched.flatMap(({ job, nodes }) => {
    const call = calls.find(
      ({ replayed, outcome }) => !replayed && outcome.kind === "answered" && outcome.instances.some((id) => id === nodes[0]),
    );
    return call && call.atMs >= job.submittedAtMs ? [call.atMs - job.submittedAtMs] : [];
  });
}

/** Returns the p-th percentile by nearest rank, or null if there are no values. */
export function percentile(values: readonly number[], p: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? null;
}

/** Returns whether everything that the demonstration should show has happened and has ended well. */
export function isWhole({ instances, artifacts, interruptions, alarms, datasets, gangs }: Omit<Summary, "ok">): boolean {
  return [
    instances.remaining === 0,
    artifacts.sealed > 0 && artifacts.verified === artifacts.sealed,
    interruptions.noticed > 0 && interruptions.resumed === interruptions.noticed && interruptions.lost === 0,
    alarms.fired > 0 && alarms.handled === alarms.fired,
    datasets.fetched > 0 && datasets.verified === datasets.fetched && datasets.mapVersion > 1,
    gangs.started > 0 && gangs.partial === 0,
  ].every(Boolean);
}

export function summaryLines(summary: Summary): string[] {
  const { eventToLaunchMs, instances, artifacts, interruptions, alarms, datasets, gangs } = summary;
  return [
    ...tableLines(
      summary.jobs,
      [
        { title: "TEAM", of: (job) => job.team },
        { title: "JOB", of: (job) => job.id },
        { title: "STATE", of: (job) => job.state },
        { title: "ATTEMPTS", of: (job) => String(job.attempts), align: "right" },
        { title: "WAITED", of: (job) => (job.waitMs === null ? "-" : duration(job.waitMs)), align: "right" },
        { title: "REASON", of: (job) => (job.reason ?? "").split("\n")[0]?.slice(0, 110) ?? "" },
      ],
      "no jobs",
    ),
    "",
    `message to launch  ${eventToLaunchMs.p50 ?? "-"} ms (p50), ${eventToLaunchMs.p99 ?? "-"} ms (p99), handlers started cold`,
    `instances          ${instances.launched} launched, ${instances.remaining} remaining`,
    `artifacts          ${artifacts.sealed} sealed, ${artifacts.verified} fetched, unsealed and equal to what the jobs should have written`,
    `interruptions      ${interruptions.noticed} noticed, ${interruptions.resumed} resumed, ${interruptions.lost} lost`,
    `alarms             ${alarms.fired} went off, ${alarms.handled} recorded as the cause of a decision`,
    `datasets           ${datasets.shards} shards, ${datasets.fetched} fetched by jobs, ${datasets.verified} of them equal to those on S3; the map is at version ${datasets.mapVersion}`,
    `gangs              ${gangs.started} started, ${gangs.partial} partial`,
  ];
}
