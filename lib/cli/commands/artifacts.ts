import { join } from "node:path";
import { Fault } from "../../model/fault.ts";
import { bytes } from "../amount.ts";
import { exitCodes } from "../exit.ts";
import { withProgress } from "../progress.ts";
import { type Context, findJob, type JobOptions } from "./job.ts";

/** Fetches, decrypts and checks every artifact of a job into a folder. */
export async function getArtifacts(
  id: string,
  folder: string,
  of: { options: JobOptions } & Pick<Context, "connection" | "console">,
): Promise<number> {
  const { options, connection, console } = of;
  const job = await findJob(id, options.team, connection);
  const kept = await connection.artifacts.list(job);
  if (!kept) {
    throw new Fault("no-artifacts", `${id} is ${job.state}${job.reason ? ` (${job.reason})` : ""}; nothing of its last attempt was kept`);
  }
  const { artifacts } = kept;
  for (const [index, artifact] of artifacts.entries()) {
    await withProgress(console, `fetching ${artifact.path}, ${bytes(artifact.bytes)}`, () =>
      connection.artifacts.open({ team: job.team, job: job.job, attempt: job.attempt }, artifact, join(folder, artifact.path)),
    );
    console.note(`${index + 1}/${artifacts.length} ${artifact.path} (${bytes(artifact.bytes)}, verified)`);
  }
  if (options.json)
    console.out(JSON.stringify({ job: job.job, folder, artifacts: artifacts.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })) }));
  else if (artifacts.length === 0) console.note(`${id} left no artifacts; name them in its "artifacts"`);
  else console.out(`${artifacts.length} ${artifacts.length === 1 ? "file" : "files"} in ${folder}`);
  return exitCodes.ok;
}
