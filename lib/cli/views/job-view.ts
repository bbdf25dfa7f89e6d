import { type ArtifactSummary, isEnded, type Job, type JobState, ordinalOf } from "../../model/job.ts";
import { conditionsInWords, wantsOfMessage } from "../../model/wants.ts";
import { bytes } from "../terminal/amount.ts";
import type { Paint } from "../terminal/console.ts";
import { duration, past } from "../terminal/duration.ts";
import type { Column } from "../terminal/table.ts";

/** Returns a job as `fleet jobs --json` prints it: times in ISO 8601, durations in ms. */
export const jobFacts = (job: Job) => ({
  id: job.job,
  team: job.team,
  pool: job.pool,
  state: job.state,
  attempts: attempts(job),
  failures: job.failures,
  submittedAt: new Date(job.submittedAtMs).toISOString(),
  startedAt: job.startedAtMs === undefined ? null : new Date(job.startedAtMs).toISOString(),
  endedAt: job.endedAtMs === undefined ? null : new Date(job.endedAtMs).toISOString(),
  waitMs: waitMs(job),
  node: job.node ?? null,
  gang: job.gang ?? null,
  exitCode: job.exitCode ?? null,
  endCode: job.endCode ?? null,
  reason: job.reason ?? null,
});

/**
 * Returns the number of attempts that have begun, since the table was restored if it was. The attempt of a waiting job, or of one that
 * ended before it ran, has not.
 */
export function attempts({ state, attempt: number, failures, startedAtMs }: Job): number {
  const attempt = ordinalOf(number);
  if (state === "rejected") return 0;
  const isUnbegun = (state === "cancelled" || state === "failed") && attempt === 1 && failures === 0 && startedAtMs === undefined;
  return state === "queued" || isUnbegun ? attempt - 1 : attempt;
}

/**
 * Returns why a job does not run yet, in words for people; undefined once it runs or has ended. In its first seconds a job has no
 * recorded reason, because no decision has been made about it.
 */
export function whyWaiting({ state, reason, pool, node }: Pick<Job, "state" | "reason" | "pool" | "node">): string | undefined {
  if (state === "queued") return reason ?? `waits for the next decision of pool ${pool}, or for a node that is being launched for it`;
  if (state === "placed") return reason ?? `waits for ${node ?? "its node"} to boot and to fetch what the job needs`;
  return undefined;
}

/** Returns a job as `fleet job --json` prints it. */
export const jobJson = (job: Job) => ({
  ...jobFacts(job),
  artifacts: job.artifacts ?? null,
  spec: job.spec ?? null,
});

/** Returns the time from the queue's acceptance to the start of the program; null if it has not started. */
export const waitMs = (job: Job): number | null =>
  job.startedAtMs === undefined ? null : Math.max(0, job.startedAtMs - job.submittedAtMs);

const colours: Readonly<Record<JobState, Paint>> = {
  rejected: "red",
  queued: "yellow",
  placed: "cyan",
  running: "cyan",
  sealing: "cyan",
  succeeded: "green",
  failed: "red",
  cancelled: "dim",
};

export type Paints = (colour: Paint, text: string) => string;
const plain: Paints = (_colour, text) => text;

export const paintState = (state: JobState, text: string, paint: Paints): string => paint(colours[state], text);

export const jobColumns = (nowMs: number, paint = plain): Column<Job>[] => [
  { title: "ID", of: (job) => job.job },
  { title: "STATE", of: (job) => job.state, paint: (cell, job) => paintState(job.state, cell, paint) },
  { title: "ATTEMPTS", of: (job) => String(attempts(job)), align: "right" },
  { title: "AGE", of: (job) => duration(nowMs - job.submittedAtMs), align: "right" },
  { title: "POOL", of: (job) => job.pool },
  { title: "NODE", of: (job) => (job.gang && job.gang.length > 1 ? `${job.node ?? "-"} +${job.gang.length - 1}` : (job.node ?? "-")) },
  { title: "REASON", of: (job) => (whyWaiting(job) ?? job.reason ?? "").split("\n")[0] ?? "", yields: true },
];

/** Returns the lines of `fleet job`. */
export function jobLines(job: Job, nowMs: number, paint = plain): string[] {
  const facts: [string, string | undefined][] = [
    ["job", `${job.job} of team ${job.team}`],
    ["state", paintState(job.state, job.state, paint)],
    ["reason", whyWaiting(job) ?? job.reason],
    ["command", job.spec?.command.join(" ")],
    ["image", job.spec?.image],
    ["asks for", requirements(job)],
    ["data", job.spec?.datasets.map(({ name, share }) => (share === "part" ? `${name} (its node's part)` : name)).join(", ") || undefined],
    ["pool", job.pool],
    ["attempts", attemptsInWords(job)],
    ...(job.gang && job.gang.length > 1
      ? job.gang.map((node, rank): [string, string] => ["node", `${node}, rank ${rank}`])
      : [pair("node", job.node)]),
    ["exit code", job.exitCode?.toString()],
    ["submitted", past(job.submittedAtMs, nowMs)],
    [
      "started",
      job.startedAtMs === undefined
        ? undefined
        : `${past(job.startedAtMs, nowMs)}; it had waited ${duration(job.startedAtMs - job.submittedAtMs)}`,
    ],
    ["ended", job.endedAtMs === undefined ? undefined : past(job.endedAtMs, nowMs)],
    ["artifacts", job.artifacts && kept(job.artifacts)],
  ];
  return factLines(facts);
}

function attemptsInWords(job: Job): string {
  const begun = attempts(job);
  const failed = job.failures > 0 ? ` (${job.failures} failed)` : "";
  if (begun === 0) return isEnded(job.state) ? "none" : "none yet";
  return `${begun}${failed}`;
}

const pair = (name: string, value: string | undefined): [string, string | undefined] => [name, value];

/** Formats facts in two columns, and omits undefined ones. Further lines of a value stay in its column, so that none looks like a fact. */
export const factLines = (facts: readonly (readonly [string, string | undefined])[]): string[] =>
  facts.flatMap(([name, value]) => {
    const lines = value?.split(/\r?\n/) ?? [];
    return lines.map((line, index) => `${(index === 0 ? name : "").padEnd(10)} ${line}`.trimEnd());
  });

/** Returns in words how much was kept, and what was not. */
function kept({ files, bytes: size, leftOut, missing, lost }: ArtifactSummary): string {
  const rest = [
    ...(missing.length > 0 ? [`not there: ${missing.join(", ")}`] : []),
    ...(leftOut > 0 ? [`${leftOut} left out`] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
  ];
  return [`${files} ${files === 1 ? "file" : "files"}, ${bytes(size)}`, ...rest].join("; ");
}

function requirements({ spec }: Job): string | undefined {
  if (spec === undefined) return undefined;
  const { gpus, vcpus, memoryGiB, nodes } = spec;
  const least = gpus.memoryGiB > 0 ? ` with ${gpus.memoryGiB} GiB` : "";
  const gpu = gpus.count === 0 ? "no GPU" : `${gpus.count} ${gpus.models.join(" or ") || "GPU"}${least}`;
  return `${gpu}, ${vcpus} vCPU, ${memoryGiB} GiB${nodes > 1 ? `, on each of ${nodes} nodes` : ""}${conditionsInWords(wantsOfMessage(spec))}`;
}
