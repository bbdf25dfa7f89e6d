import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Job, jobName } from "../../model/job.ts";
import type { ArtifactReader } from "../../ports/artifacts.ts";
import type { Sample } from "./samples.ts";
import type { Watched } from "./watch.ts";

export type SentSample = { readonly sample: Sample; readonly ref: { readonly team: string; readonly job: string } };

export const jobOf = (watched: readonly Watched[], { team, job }: SentSample["ref"]): Watched["job"] | undefined =>
  watched.find((each) => each.job.team === team && each.job.job === job)?.job;

type Verifying = { readonly artifacts: ArtifactReader; readonly print: (line: string) => void };

/** Fetches and decrypts what jobs left. Returns how many files are correct byte for byte, and the jobs whose files all are. */
export async function verify(
  on: Verifying,
  of: { readonly sent: readonly SentSample[]; readonly watched: readonly Watched[] },
): Promise<{ readonly files: number; readonly jobs: ReadonlySet<Sample> }> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-artifacts-"));
  const jobs = new Set<Sample>();
  let files = 0;
  try {
    for (const { sample, ref } of of.sent) {
      const job = jobOf(of.watched, ref);
      const equal = job ? await equalFiles(on, { sample, job, folder }) : 0;
      files += equal;
      if (equal === job?.artifacts?.files && equal === Object.keys(sample.leaves ?? {}).length) jobs.add(sample);
    }
    return { files, jobs };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function equalFiles({ artifacts, print }: Verifying, of: { sample: Sample; job: Job; folder: string }): Promise<number> {
  const { sample, job } = of;
  let equal = 0;
  for (const artifact of (await artifacts.list(job))?.artifacts ?? []) {
    const file = join(of.folder, job.team, job.job, artifact.path);
    await artifacts.open(job, artifact, file);
    const isEqual = (await readFile(file)).equals(Buffer.from(sample.leaves?.[artifact.path] ?? "", "utf8"));
    if (isEqual) equal += 1;
    const verdict = isEqual ? "equal to" : "NOT equal to";
    print(`${jobName(job)}  ${artifact.path}: ${artifact.bytes} bytes unsealed, ${verdict} what the job should have written`);
  }
  return equal;
}
