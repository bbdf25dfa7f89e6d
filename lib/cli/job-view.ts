import type { Job } from "../model/job.ts";
import { duration, moment } from "./duration.ts";
import type { Column } from "./table.ts";

/** A job as `--json` gives it: times in ISO 8601, durations in ms. */
export const jobJson = (job: Job) => ({
  id: job.job,
  team: job.team,
  pool: job.pool,
  state: job.state,
  attempts: job.state === "rejected" ? 0 : job.state === "queued" ? job.attempt - 1 : job.attempt,
  failures: job.failures,
  submittedAt: new Date(job.submittedAtMs).toISOString(),
  startedAt: job.startedAtMs === undefined ? null : new Date(job.startedAtMs).toISOString(),
  endedAt: job.endedAtMs === undefined ? null : new Date(job.endedAtMs).toISOString(),
  waitMs: waitMs(job),
  node: job.node ?? null,
  exitCode: job.exitCode ?? null,
  reason: job.reason ?? null,
  artifacts: (job.artifacts ?? []).map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  spec: job.spec ?? null,
});

/** From the queue's acceptance to the start of the program; null while it has not started. */
export const waitMs = (job: Job): number | null =>
  job.startedAtMs === undefined ? null : Math.max(0, job.startedAtMs - job.submittedAtMs);

export const jobColumns = (nowMs: number): Column<Job>[] => [
  { title: "ID", of: (job) => job.job },
  { title: "STATE", of: (job) => job.state },
  { title: "ATTEMPT", of: (job) => String(job.attempt), align: "right" },
  { title: "AGE", of: (job) => duration(nowMs - job.submittedAtMs), align: "right" },
  { title: "POOL", of: (job) => job.pool },
  { title: "NODE", of: (job) => job.node ?? "-" },
  { title: "REASON", of: (job) => firstLine(job.reason ?? "", 100) },
];

/** Everything a person wants to know of one job, line by line. */
export function jobLines(job: Job): string[] {
  const facts: [string, string | undefined][] = [
    ["job", `${job.job} of team ${job.team}`],
    ["state", job.state],
    ["reason", job.reason],
    ["command", job.spec?.command.join(" ")],
    ["pool", job.pool],
    ["attempt", `${job.attempt}${job.failures > 0 ? ` (${job.failures} failed)` : ""}`],
    ["node", job.node],
    ["exit code", job.exitCode?.toString()],
    ["submitted", moment(job.submittedAtMs)],
    [
      "started",
      job.startedAtMs === undefined ? undefined : `${moment(job.startedAtMs)}, after ${duration(job.startedAtMs - job.submittedAtMs)}`,
    ],
    ["ended", job.endedAtMs === undefined ? undefined : moment(job.endedAtMs)],
    ...(job.artifacts ?? []).map((artifact): [string, string] => [
      "artifact",
      `${artifact.path} (${artifact.bytes} bytes, sha256 ${artifact.sha256.slice(0, 12)}…)`,
    ]),
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(10)} ${value}`]));
}

const firstLine = (text: string, most: number): string => {
  const [line = ""] = text.split("\n");
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};
