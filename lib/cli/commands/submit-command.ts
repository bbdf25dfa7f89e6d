import { bytes, count } from "../amount.ts";
import type { Connection } from "../connection.ts";
import type { Console } from "../console.ts";
import { type JobOptions, jobOf } from "../job-options.ts";
import { withPacked } from "../pack/archive.ts";
import { ignoreFile } from "../pack/entries.ts";
import { withProgress } from "../progress.ts";
import { poolNamed, teamOf } from "../team.ts";
import { type SubmitOptions, submit } from "./submit.ts";

export type CommandOptions = JobOptions & SubmitOptions & { readonly workdir?: string | undefined };

type Context = { readonly connection: Connection; readonly console: Console };

/** Packs and uploads the folder, and submits the command that runs in it. Nothing is packed before the job is known to be a legal one. */
export async function submitCommand(command: readonly string[], options: CommandOptions, on: Context): Promise<number> {
  jobOf(command, options);
  if (options.pool !== undefined) poolNamed(options.pool, on.connection.deployment);
  const team = await teamOf(options.team, on.connection);
  const code = options.workdir === undefined ? undefined : await upload(options.workdir, team, on);
  return submit([jobOf(command, options, code)], { ...options, team }, on);
}

/** An unchanged folder has the name that it had before, and is not uploaded again. */
const upload = (folder: string, team: string, { connection, console }: Context): Promise<{ s3: string; sha256: string }> =>
  withProgress(console, `sending ${folder}`, (tell) =>
    withPacked(folder, { tell: (packed) => tell(`packed ${packed}`) }, async (packed) => {
      console.note(`${folder}: ${count(packed.paths.length, "file")}, ${bytes(packed.bytes)}, ${bytes(packed.packedBytes)} packed`);
      if (packed.odd.length > 0)
        console.note(`left out, for they are neither files nor links: ${packed.odd.join(", ")} (${ignoreFile} can say so)`);
      tell(`uploading ${bytes(packed.packedBytes)}`);
      return (await connection.code.putCode({ team, file: packed.file })).code;
    }),
  );
