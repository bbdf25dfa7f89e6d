import { bytes, count } from "../amount.ts";
import type { Connection } from "../connection.ts";
import type { Console } from "../console.ts";
import { type JobOptions, jobOf } from "../job-options.ts";
import { withPacked } from "../pack/archive.ts";
import { ignoreFile } from "../pack/entries.ts";
import { withProgress } from "../progress.ts";
import { poolNamed, teamOf } from "../team.ts";
import { refuseImpossible } from "./check-jobs.ts";
import { type SubmitOptions, sendJobs } from "./submit.ts";

export type CommandOptions = JobOptions & SubmitOptions & { readonly workdir?: string | undefined };

type Context = { readonly connection: Connection; readonly console: Console };

/** Packs and uploads the folder, if there is one, and submits the command. Nothing is packed before the job is known to be possible. */
export async function submitCommand(command: readonly string[], options: CommandOptions, on: Context): Promise<number> {
  const job = jobOf(command, options);
  if (options.pool !== undefined) poolNamed(options.pool, on.connection.deployment);
  const team = await teamOf(options.team, on.connection);
  await refuseImpossible([job], team, on);
  const code = options.workdir === undefined ? undefined : await upload(options.workdir, team, on);
  return sendJobs([jobOf(command, options, code)], { ...options, team }, on);
}

/** An unchanged folder has the name that it had before, and is not uploaded again. */
const upload = (folder: string, team: string, { connection, console }: Context): Promise<{ s3: string; sha256: string }> =>
  withProgress(console, `sending ${folder}`, (tell) =>
    withPacked(folder, { tell: (packed) => tell(`packed ${packed}`) }, async (packed) => {
      console.note(`${folder}: ${count(packed.paths.length, "file")}, ${bytes(packed.bytes)}, ${bytes(packed.packedBytes)} packed`);
      if (packed.odd.length > 0)
        console.note(`left out, for they are neither files nor links: ${packed.odd.join(", ")} (${ignoreFile} can say so)`);
      tell(`uploading ${bytes(packed.packedBytes)}`);
      return connection.code.putCode({ team, file: packed.file });
    }),
  );
