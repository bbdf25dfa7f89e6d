import pMap from "p-map";
import type { SealedManifest } from "../../model/artifact.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { artifactPath, isEnded, type Job, ordinalOf } from "../../model/job.ts";
import type { ArtifactReader } from "../../ports/artifacts.ts";
import { commandLine } from "../invocation/invocation.ts";

/** The most attempts to list, because each takes a request. */
const maxAttempts = 50;
const atOnce = 8;
/** How long after a job's end its files may not be sealed yet. */
const sealingMs = 10 * 60_000;

/**
 * Returns what was kept of each attempt of a job, newest first. If there are very many attempts, only the latest are listed, and none from
 * before the table was restored from a backup. Those can be requested by number.
 */
export async function keptAttempts(job: Job, artifacts: ArtifactReader): Promise<readonly SealedManifest[]> {
  const numbers = Array.from({ length: Math.min(ordinalOf(job.attempt), maxAttempts) }, (_, index) => job.attempt - index);
  const found = await pMap(numbers, (attempt) => artifacts.list({ team: job.team, job: job.job, attempt }), { concurrency: atOnce });
  return found.filter((each) => each !== undefined);
}

/** Returns what was kept of the given attempt, or of the newest that left files. Throws a FleetError that says why there is none. */
export function chosen(
  job: Job,
  of: { readonly kept: readonly SealedManifest[]; readonly attempt?: number | undefined; readonly nowMs: number },
) {
  const { kept, attempt } = of;
  const found =
    attempt === undefined ? (kept.find(({ artifacts }) => artifacts.length > 0) ?? kept[0]) : kept.find((each) => each.attempt === attempt);
  if (!found) throw new FleetError("no-artifacts", whyNone(job, of));
  return found;
}

/** Returns what was kept of the given attempt, which may be older than those that `keptAttempts` lists, or of all those. */
export async function keptOf(job: Job, attempt: number | undefined, artifacts: ArtifactReader): Promise<readonly SealedManifest[]> {
  if (attempt === undefined) return keptAttempts(job, artifacts);
  const one = await artifacts.list({ team: job.team, job: job.job, attempt });
  return one ? [one] : [];
}

function whyNone(job: Job, { attempt, nowMs }: { readonly attempt?: number | undefined; readonly nowMs: number }): string {
  const name = job.job;
  if (job.state === "rejected") return `${name} was rejected and never ran${because(job)}`;
  if (attempt !== undefined && attempt > job.attempt) return `${name} has no attempt ${attempt}; its latest is ${job.attempt}`;
  if (attempt !== undefined && attempt < job.attempt) return `attempt ${attempt} of ${name} left no files that were kept`;
  switch (job.state) {
    case "queued":
      return ordinalOf(job.attempt) === 1
        ? `${name} is queued: no attempt of it has run yet`
        : `${name} is queued again, and no attempt so far left files`;
    case "placed":
      return `${name} is placed on a node and about to run: its files are kept when the run ends`;
    case "running":
      return `${name} is running: its files are kept when the run ends`;
    case "sealing":
      return `${name} is sealing: its files are being encrypted; try again in a moment`;
    case "succeeded":
    case "failed":
    case "cancelled":
      return whyNoneOfEnded(job, nowMs);
  }
}

function whyNoneOfEnded(job: Job, nowMs: number): string {
  const ended = `${job.job} is ${job.state}${because(job)}`;
  if ((job.spec?.artifacts ?? []).length === 0) return `${ended}; it ${namedNothing}`;
  const isRecent = isEnded(job.state) && job.endedAtMs !== undefined && nowMs - job.endedAtMs < sealingMs;
  if (isRecent && job.startedAtMs !== undefined) return `${ended}; its files may not be sealed yet: try again in a minute`;
  const names = (job.spec?.artifacts ?? []).map((request) => `"${artifactPath(request)}"`).join(", ");
  return `${ended}; none of its files were kept (it named ${names})`;
}

/** Returns why an attempt that was recorded has no file to fetch. */
export function whyEmpty(job: Job, { attempt, leftOut, leftOutMore = 0, missing, lost }: SealedManifest): string {
  const none = `no file was kept of ${job.job}${ordinalOf(job.attempt) === 1 ? "" : `, attempt ${attempt}`}`;
  if (missing.length + leftOut.length + leftOutMore + lost.length > 0)
    return `${none}; see why: ${commandLine("artifacts", "list", job.job, "--attempt", String(attempt))}`;
  return (job.spec?.artifacts ?? []).length === 0 ? `${none}: it ${namedNothing}` : `${none}: the folders that it named are empty`;
}

const namedNothing = 'named no files to keep; name them in its "artifacts", or with --artifact';

const because = ({ reason }: Job): string => (reason === undefined ? "" : ` (${reason.split("\n")[0]})`);
