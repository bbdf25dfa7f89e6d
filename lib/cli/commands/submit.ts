import { setTimeout as pause } from "node:timers/promises";
import { specOf } from "../../../events/job.ts";
import { bodyHash } from "../../flows/body-hash.ts";
import { Fault } from "../../model/fault.ts";
import { isEnded, type Job } from "../../model/job.ts";
import type { Connection } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes } from "../exit.ts";
import { commandLine } from "../invocation.ts";
import type { JobFile } from "../job-file.ts";
import { jobJson } from "../job-view.ts";
import { teamOf } from "../team.ts";

export type SubmitOptions = {
  readonly team?: string | undefined;
  readonly json?: boolean | undefined;
  readonly wait?: boolean | undefined;
};

type Context = { readonly connection: Connection; readonly console: Console };

/** Sends each job to the team's queue; with `wait`, stays until all have ended. */
export async function submit(files: readonly JobFile[], options: SubmitOptions, on: Context): Promise<number> {
  const { connection, console } = on;
  const team = await teamOf(options.team, connection);
  for (const file of files) await refuseOther(file, team, on);
  const sent: { team: string; job: string }[] = [];
  for (const { body, message } of files) {
    const { messageId } = await connection.queue.send(team, body);
    sent.push({ team, job: message.id ?? messageId });
    if (!options.json && !options.wait) console.out(message.id ?? messageId);
  }
  if (!options.wait) {
    if (options.json) console.out(JSON.stringify({ team, jobs: sent.map(({ job }) => job) }));
    else console.note(`submitted for team ${team}; follow with: ${commandLine("logs", sent[0]?.job ?? "ID", "-f", "--team", team)}`);
    return exitCodes.ok;
  }
  console.note(`submitted for team ${team}; Ctrl-C ends the waiting, not the work`);
  const ended = await Promise.all(sent.map((ref) => untilEnded(ref, on)));
  if (options.json) console.out(JSON.stringify(ended.map(jobJson)));
  return ended.every((job) => job.state === "succeeded") ? exitCodes.ok : exitCodes.failed;
}

/**
 * The same job again is the same job; another one under its id would be rejected under a name that nobody looks for.
 * A job does not need the API to be sent: if it cannot be asked, the job is sent all the same.
 */
async function refuseOther({ message }: JobFile, team: string, { connection, console }: Context): Promise<void> {
  if (message.id === undefined) return;
  let known: Job | undefined;
  try {
    known = await connection.jobs.get({ team, job: message.id });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    console.note(`whether the id ${message.id} is in use is not known: ${error.message}`);
    return;
  }
  if (known?.state === "rejected")
    throw new Fault(
      "id-taken",
      `the id ${message.id} names a job of team ${team} that was rejected (${known.reason ?? "no reason is on record"}); nothing was sent; choose a new id`,
    );
  if (known && known.bodyHash !== bodyHash(specOf(message)))
    throw new Fault(
      "id-taken",
      `the id ${message.id} already names another job of team ${team} (${known.state}); nothing was sent; choose a new id, or leave it out`,
    );
}

/** Tells each change of the job until it has ended. */
async function untilEnded(ref: { team: string; job: string }, on: Context): Promise<Job> {
  let last = "";
  for (;;) {
    const job = await on.connection.jobs.get(ref);
    const now = job ? `${job.state}${job.node ? ` on ${job.node}` : ""}${job.reason ? `: ${job.reason}` : ""}` : "on its way";
    if (now !== last) on.console.note(`${ref.job}  ${now}`);
    last = now;
    if (job && isEnded(job.state)) return job;
    await pause(500);
  }
}
