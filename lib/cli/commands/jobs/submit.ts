import pMap from "p-map";
import type { Sent } from "../../../aws/queues/job-queue.ts";
import { isEnded, type Job } from "../../../model/job.ts";
import { exitCodes, trace, whatWentWrong } from "../../invocation/exit.ts";
import { commandLine } from "../../invocation/invocation.ts";
import { type JobFile, refuseTwice } from "../../jobs/job-file.ts";
import type { Context as CommandContext } from "../../session/context.ts";
import { teamOf } from "../../session/team.ts";
import { count } from "../../terminal/amount.ts";
import { withProgress } from "../../terminal/progress.ts";
import { jobJson } from "../../views/job-view.ts";
import { refuseImpossible } from "./check-jobs.ts";

export type SubmitOptions = {
  readonly team?: string | undefined;
  readonly json?: boolean | undefined;
  readonly wait?: boolean | undefined;
};

type Context = Pick<CommandContext, "connection" | "console" | "pause">;

/** The most jobs that are watched at a time. */
const maxWatched = 20;
const maxNamed = 10;

/** Sends each job to the team's queue, after checking that all are possible. With `wait`, waits until all have ended. */
export async function submit(files: readonly JobFile[], options: SubmitOptions, on: Context): Promise<number> {
  refuseTwice(files);
  const team = await teamOf(options.team, on.connection);
  await refuseImpossible(files, team, on);
  return sendJobs(files, { ...options, team }, on);
}

/** Sends jobs that have been checked. */
export async function sendJobs(
  files: readonly JobFile[],
  options: SubmitOptions & { readonly team: string },
  on: Context,
): Promise<number> {
  const { console } = on;
  const { team } = options;
  const outcomes = await send(files, team, on);
  const ids = outcomes.flatMap((sent, index) => (sent.kind === "sent" ? [files[index]?.message.id ?? sent.messageId] : []));
  const notSent = outcomes.flatMap((sent, index) => {
    const file = files[index];
    return sent.kind === "failed" && file
      ? [{ at: file.at, ...(file.message.id && { id: file.message.id }), because: whatWentWrong(sent.error) }]
      : [];
  });
  if (notSent.length > 0) for (const line of notSentLines(notSent, files)) console.note(line);
  traceFailed(outcomes, console);
  const code = notSent.length > 0 ? exitCodes.failed : exitCodes.ok;
  if (options.wait) return (await wait(ids, options, on)) === exitCodes.ok ? code : exitCodes.failed;
  if (options.json) console.out(JSON.stringify({ team, jobs: ids, ...(notSent.length > 0 && { notSent }) }));
  else for (const id of ids) console.out(id);
  if (!options.json && ids.length > 0)
    console.note(`submitted for team ${team}; follow with: ${commandLine("logs", ids[0] ?? "ID", "-f", "--team", team)}`);
  return code;
}

async function send(files: readonly JobFile[], team: string, { connection, console }: Context): Promise<readonly Sent[]> {
  const [only, ...more] = files;
  if (only !== undefined && more.length === 0) return [{ kind: "sent", ...(await connection.queue.send(team, only.body)) }];
  return withProgress(console, `sending ${count(files.length, "job")}`, (report) =>
    connection.queue.sendAll(
      team,
      files.map(({ body }) => body),
      (done) => report(`${done} sent`),
    ),
  );
}

function traceFailed(outcomes: readonly Sent[], { note }: Context["console"]): void {
  const errors = outcomes.flatMap((sent) => (sent.kind === "failed" ? [sent.error] : []));
  for (const error of errors.slice(0, maxNamed)) trace(error, note);
}

/** Returns lines that say which jobs were not sent, and whether all can safely be sent again. */
function notSentLines(notSent: readonly { at: string; id?: string; because: string }[], files: readonly JobFile[]): readonly string[] {
  const named = notSent.slice(0, maxNamed).map(({ at, id, because }) => `  ${at}${id === undefined ? "" : ` (${id})`}: ${because}`);
  const more = notSent.length > maxNamed ? [`  and ${notSent.length - maxNamed} more (--json names all)`] : [];
  const advice = files.every(({ message }) => message.id !== undefined)
    ? "send the same jobs again: every job has an id, so a job that was already sent does not run twice"
    : 'send only these again: a job without an "id" that was already sent would run twice';
  return [`fleet: ${notSent.length} of ${count(files.length, "job")} could not be sent:`, ...named, ...more, advice];
}

async function wait(ids: readonly string[], { team, json }: SubmitOptions & { readonly team: string }, on: Context): Promise<number> {
  on.console.note(`submitted for team ${team}; Ctrl-C ends this command, not the jobs`);
  const ended = await pMap(ids, (job) => untilEnded({ team, job }, on), { concurrency: maxWatched });
  if (json) on.console.out(JSON.stringify(ended.map(jobJson)));
  return ended.every((job) => job.state === "succeeded") ? exitCodes.ok : exitCodes.failed;
}

/** Prints each change of the job's state until the job has ended. */
async function untilEnded(ref: { team: string; job: string }, on: Context): Promise<Job> {
  let last = "";
  for (;;) {
    const job = await on.connection.jobs.get(ref);
    const now = job ? `${job.state}${job.node ? ` on ${job.node}` : ""}${job.reason ? `: ${job.reason}` : ""}` : "on its way";
    if (now !== last) on.console.note(`${ref.job}  ${now}`);
    last = now;
    if (job && isEnded(job.state)) return job;
    await on.pause(500);
  }
}
