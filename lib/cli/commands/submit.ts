import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import type * as z from "zod";
import { JobMessage } from "../../../events/job.ts";
import { isEnded, type Job } from "../../model/job.ts";
import { type Connection, teamOf } from "../connection.ts";
import type { Console } from "../console.ts";
import { exitCodes, UsageError } from "../exit.ts";
import { jobJson } from "../job-view.ts";

export type SubmitOptions = { readonly team?: string | undefined; readonly json: boolean; readonly wait: boolean };

/** Sends each file's job to the team's queue; with `wait`, stays until all have ended. */
export async function submit(
  files: readonly string[],
  options: SubmitOptions,
  on: { connection: Connection; console: Console },
): Promise<number> {
  const { connection, console } = on;
  const team = teamOf(options.team, connection.deployment);
  // All are read before the first is sent: a typing error in the last one leaves nothing half submitted.
  const messages = await Promise.all(files.map(read));
  const sent: { team: string; job: string }[] = [];
  for (const { body, message } of messages) {
    const { messageId } = await connection.queue.send(team, body);
    sent.push({ team, job: message.id ?? messageId });
    if (!options.json && !options.wait) console.out(message.id ?? messageId);
  }
  if (!options.wait) {
    if (options.json) console.out(JSON.stringify({ team, jobs: sent.map(({ job }) => job) }));
    else console.note(`submitted for team ${team}; follow with: fleet job ${sent[0]?.job ?? "ID"} --team ${team}`);
    return exitCodes.ok;
  }
  const ended = await Promise.all(sent.map((ref) => follow(ref, on)));
  if (options.json) console.out(JSON.stringify(ended.map(jobJson)));
  return ended.every((job) => job.state === "succeeded") ? exitCodes.ok : exitCodes.failed;
}

async function read(file: string): Promise<{ body: string; message: JobMessage }> {
  const body =
    file === "-"
      ? await text(process.stdin)
      : await readFile(file, "utf8").catch((error: Error) => Promise.reject(new UsageError(error.message)));
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = JobMessage.safeParse(value);
  if (!parsed.success) throw new UsageError(`${file} is not a job:\n${parsed.error.issues.map(line).join("\n")}`);
  return { body, message: parsed.data };
}

const line = (issue: z.core.$ZodIssue): string => `  ${issue.path.join(".") || "the message"}: ${issue.message}`;

/** Tells each change of the job until it has ended. */
async function follow(ref: { team: string; job: string }, on: { connection: Connection; console: Console }): Promise<Job> {
  let last = "";
  for (;;) {
    const job = await on.connection.jobs.get(ref);
    const now = job ? `${job.state}${job.node ? ` on ${job.node}` : ""}${job.reason ? `: ${job.reason}` : ""}` : "on its way";
    if (now !== last) on.console.note(`${ref.job}  ${now}`);
    last = now;
    if (job && isEnded(job.state)) return job;
    await pause(1_000);
  }
}
