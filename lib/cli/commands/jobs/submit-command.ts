import { type JobOptions, jobOf } from "../../jobs/job-options.ts";
import { withPacked } from "../../pack/archive.ts";
import { packedLines } from "../../pack/report.ts";
import type { Context as CommandContext } from "../../session/context.ts";
import { poolNamed, teamOf } from "../../session/team.ts";
import { bytes } from "../../terminal/amount.ts";
import { withProgress } from "../../terminal/progress.ts";
import { refuseImpossible } from "./check-jobs.ts";
import { type SubmitOptions, sendJobs } from "./submit.ts";

export type CommandOptions = JobOptions & SubmitOptions & { readonly workdir?: string | undefined; readonly strict?: boolean | undefined };

type Context = Pick<CommandContext, "connection" | "console" | "pause">;

/** Packs and uploads the folder, if there is one, and submits the command. Checks first that the job is possible. */
export async function submitCommand(command: readonly string[], options: CommandOptions, on: Context): Promise<number> {
  const job = jobOf(command, options);
  if (options.pool !== undefined) poolNamed(options.pool, on.connection.deployment);
  const team = await teamOf(options.team, on.connection);
  await refuseImpossible([job], team, on);
  const code = options.workdir === undefined ? undefined : await upload(options.workdir, { team, strict: options.strict }, on);
  return sendJobs([jobOf(command, options, code)], { ...options, team }, on);
}

type Code = { readonly s3: string; readonly sha256: string };

/** Uploads the folder as an archive. An unchanged folder results in the same archive, which is not uploaded again. */
async function upload(
  folder: string,
  { team, strict }: { readonly team: string; readonly strict: boolean | undefined },
  { connection, console }: Context,
): Promise<Code> {
  return withProgress(console, `submitting ${folder}`, (report) =>
    withPacked(folder, { onProgress: (packed) => report(`packed ${packed}`), strict }, async (packed) => {
      for (const line of packedLines(folder, packed)) console.note(line);
      report(`uploading ${bytes(packed.packedBytes)} unless it is already there`);
      const { code, sent } = await connection.code.putCode({ team, file: packed.file });
      if (!sent) console.note("unchanged since the last upload; nothing was sent");
      return code;
    }),
  );
}
