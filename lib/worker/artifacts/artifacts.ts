import { realpath } from "node:fs/promises";
import type { ArtifactRequest } from "../../model/job.ts";
import type { ArtifactFile } from "./artifact-file.ts";
import type { ArtifactLimits } from "./artifact-limits.ts";
import { ArtifactWalk } from "./artifact-walk.ts";
import { LeftOut } from "./left-out.ts";
import { beginning, type Request, readRequests } from "./requests.ts";

export type Collected = {
  /** In the order of their paths. */
  readonly files: readonly ArtifactFile[];
  /** What exists but cannot be kept. The upload adds to it. */
  readonly leftOut: LeftOut;
  /** The names of requests that matched nothing. */
  readonly missing: readonly string[];
  readonly required: readonly Request[];
};

/**
 * Collects the files that a job names as its artifacts. Links are followed only inside the working directory. A file that cannot be kept
 * is left out with its reason and does not affect the others.
 */
export async function collectArtifacts(work: string, specs: readonly ArtifactRequest[], limits: ArtifactLimits): Promise<Collected> {
  const requests = await readRequests(work, specs);
  const leftOut = new LeftOut(limits.listed);
  const root = await realRoot(work);
  const walk = new ArtifactWalk(root ?? Buffer.from(work), limits, leftOut);
  if (root) await walk.walk(beginning(requests));
  const missing = [...new Set(requests.filter((request) => !walk.met.has(request)).map(({ name }) => name))];
  return { files: walk.files, leftOut, missing, required: requests.filter(({ required }) => required) };
}

/** Returns the real path of the working directory, or undefined if the job has removed it. */
async function realRoot(work: string): Promise<Buffer | undefined> {
  try {
    return await realpath(Buffer.from(work), { encoding: "buffer" });
  } catch {
    return undefined;
  }
}

const longestReason = 2_000;

/** Returns why the job fails: no file was kept for an artifact that it requires. Returns undefined if each required artifact has a file. */
export function whyFailed(
  { required, missing }: Pick<Collected, "required" | "missing">,
  kept: readonly ArtifactFile[],
): string | undefined {
  const has = new Set(kept.flatMap(({ requests }) => requests));
  const why = required
    .filter((request) => !has.has(request))
    .map(({ name }) =>
      missing.includes(name) ? `the required artifact "${name}" is missing` : `no file of the required artifact "${name}" could be kept`,
    );
  return why.length === 0 ? undefined : why.join("; ").slice(0, longestReason).toWellFormed();
}
