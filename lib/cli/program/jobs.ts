import { type Command, Option } from "commander";
import { maxAttempt } from "../../model/job.ts";
import type { GetOptions } from "../commands/jobs/artifacts.ts";
import type { StopOptions } from "../commands/jobs/cancel.ts";
import type { CancelManyOptions } from "../commands/jobs/cancel-many.ts";
import type { JobsOptions } from "../commands/jobs/jobs.ts";
import type { LogOptions } from "../commands/jobs/logs.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { UsageError } from "../invocation/exit.ts";
import { filterOf } from "../jobs/job-filter.ts";
import { confirmOnTerminal } from "./confirm.ts";
import { before, cursor, inPool, json, limit, named, seconds, since, team, whole } from "./options.ts";
import type { Session } from "./session.ts";

export function addJobs(program: Command, session: Session): void {
  const { run, context } = session;
  program
    .command("jobs")
    .description("list a team's jobs, newest first")
    .addOption(team())
    .option("--state <states>", "only jobs in this state, or in one of several: queued,placed,running")
    .addOption(named())
    .addOption(inPool())
    .addOption(since())
    .addOption(before())
    .addOption(limit(100_000).default(100))
    .addOption(cursor())
    .addOption(json())
    .addHelpText(
      "after",
      `
Examples:
  fleet jobs --state queued,running
  fleet jobs --name 'sweep-*' --since 2h
  fleet jobs --limit 2000 --json | jq -r '.jobs[].id'

To name a deployment, put --name before the command: fleet --name DEPLOYMENT jobs`,
    )
    .action((options: JobsOptions) => run(listThose(options, context)));

  program
    .command("job")
    .description("show one job: its state and reason, its nodes, and its artifacts")
    .argument("<id>")
    .addOption(team())
    .addOption(json())
    .addHelpText("after", "\nExamples:\n  fleet job train-7\n  fleet job train-7 --json | jq -r .state")
    .action((id: string, options) => run(import("../commands/jobs/job.ts").then(async ({ job }) => job(id, options, await context()))));

  program
    .command("logs")
    .description("print the output of a job, or follow it while the job runs")
    .argument("<id>")
    .addOption(team())
    .option("-f, --follow", "follow until the job has ended; exit 0 if it succeeded, otherwise 1")
    .option("--attempt <n>", "show this attempt (default: the latest); with --follow, this one and later ones", (text) =>
      whole(text, 1, maxAttempt),
    )
    .option("--rank <n>", "show this member of a gang (default: 0, the first), or all, with the rank on each line", rank)
    .option("--tail <n>", "only this many of the newest lines", (text) => whole(text, 1, 10_000))
    .option("--since <duration>", "only lines from the last 90s, 10m, 2h", seconds)
    .option(
      "--whole",
      "print the complete output as it was kept, byte for byte; without this option, parts of a long output may be left out",
    )
    .option("--raw", "print control characters unchanged")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExamples:\n  fleet logs train-7 -f --tail 20\n  fleet logs train-7 --attempt 1 --rank all\n  fleet logs train-7 --since 10m\n  fleet logs train-7 --whole > train-7.log",
    )
    .action((id: string, options: LogOptions) => run(logCommand(options).then(async (command) => command(id, options, await context()))));

  program
    .command("cancel")
    .description("cancel jobs that wait or run")
    .usage("[options] ID…\n       fleet cancel --state queued|running|all [options]")
    .argument("[ids...]")
    .addOption(team())
    .option("--reason <text>", "the reason to record with the job")
    .option("--wait", "wait until their programs have stopped (only with ids)")
    .addOption(json())
    .optionsGroup("Options instead of ids:")
    .option("--state <states>", "all jobs that wait (queued), all jobs on a node (running), or both (all)")
    .addOption(named())
    .addOption(inPool())
    .addOption(since())
    .addOption(before())
    .option("--dry-run", "list what would be cancelled, and cancel nothing")
    .option("-y, --yes", "cancel running jobs without asking")
    .addHelpText(
      "after",
      `
Examples:
  fleet cancel train-7
  fleet cancel train-7 train-8 --reason "wrong data" --wait
  fleet cancel --state queued --name 'sweep-*'
  fleet cancel --state all --before 2h --dry-run

Jobs that only wait are cancelled at once. Before --state cancels a job on a node, the command asks; in a script, where it cannot
ask, it needs --yes. If a job cannot be cancelled, the others still are, and the exit code is 1. To continue with the jobs that are
left, run the same command again.`,
    )
    .action((ids: readonly string[], options: StopOptions & Partial<CancelManyOptions>) => run(cancelThose(ids, options, context)));

  program
    .command("requeue")
    .description("stop the runs of jobs and queue the jobs again")
    .argument("<ids...>")
    .addOption(team())
    .option("--reason <text>", "the reason to record with the run")
    .option("--wait", "wait until their programs have stopped")
    .addOption(json())
    .addHelpText(
      "after",
      `
Examples:
  fleet requeue train-7
  fleet requeue train-7 train-8 --reason "they hang" --wait

A stopped program has 30 seconds to save its work, and what it leaves is kept as after an interruption. The run counts as interrupted,
not as failed, so it does not use up a retry. The job may begin again on the same node. If one job is not running, the others are still
queued again, and the exit code is 1.`,
    )
    .action((ids: readonly string[], options: StopOptions) => run(requeueThose(ids, options, context)));

  program
    .command("purge")
    .description("end all waiting jobs of a team, or those in one pool; running jobs go on")
    .addOption(team())
    .addOption(inPool())
    .addOption(named())
    .addOption(since())
    .addOption(before())
    .option("--reason <text>", "the reason to record with each job", "purged")
    .option("--dry-run", "list what would be ended, and end nothing")
    .option("-y, --yes", "do not ask")
    .addOption(json())
    .addHelpText(
      "after",
      `
Examples:
  fleet purge --team research --pool gpu
  fleet purge --name 'sweep-*' --dry-run
  fleet purge --yes --reason "flood of 28 November"

The command says how many jobs it found and asks before it ends them. Each ends as cancelled, with the reason. To continue after an
interruption, run it again.`,
    )
    .action((options: Omit<CancelManyOptions, "state">) =>
      run(cancelThose([], { ...options, state: "queued", asksAlways: true }, context)),
    );

  addArtifacts(program, session);
}

const attempt = (): Option =>
  new Option("--attempt <n>", "use this attempt (default: the newest that left files)").argParser((text) => whole(text, 1, maxAttempt));

function addArtifacts(program: Command, { run, context }: Session): void {
  const artifacts = program.command("artifacts").description("list or fetch the files that jobs left, however they ended");
  artifacts
    .command("list")
    .description("list a job's artifacts, and what was not kept and why")
    .argument("<id>")
    .argument("[patterns...]", "only these paths, folders or globs, for example 'ckpt/*.pt'")
    .addOption(team())
    .addOption(attempt())
    .addOption(json())
    .addHelpText("after", "\nExamples:\n  fleet artifacts list train-7\n  fleet artifacts list train-7 '**/*.pt' --attempt 1")
    .action((id: string, patterns: readonly string[], options) =>
      run(
        import("../commands/jobs/artifacts.ts").then(async ({ listArtifacts }) =>
          listArtifacts(id, patterns, { options, ...(await context()) }),
        ),
      ),
    );
  artifacts
    .command("get")
    .description("fetch, decrypt and verify a job's artifacts")
    .argument("<id>")
    .argument(
      "[folder-or-patterns...]",
      "a first word such as ./out, /tmp/out or out/ is the folder; all others are paths, folders or globs to fetch",
    )
    .option("--to <folder>", "fetch into this folder (default: ./ID)")
    .option("--force", "overwrite local files that differ")
    .addOption(team())
    .addOption(attempt())
    .addOption(json())
    .addHelpText(
      "after",
      `
Files that are already there, byte for byte, are not fetched again, so you can repeat a command that was interrupted.

Examples:
  fleet artifacts get train-7 ./out                    everything, into ./out
  fleet artifacts get train-7 'ckpt/*.pt' --to ./out   only these
  fleet artifacts get train-7 model.pt --attempt 1     one file of the first attempt, into ./train-7`,
    )
    .action((id: string, words: readonly string[], { to, ...options }: GetOptions & { to?: string }) =>
      run(
        import("../commands/jobs/artifacts.ts").then(async ({ getArtifacts }) => {
          const { whereAndWhat } = await import("../artifacts/selected.ts");
          const { folder = `./${id}`, patterns } = whereAndWhat(words, to);
          return getArtifacts(id, { folder: asMeant(folder), patterns }, { options, ...(await context()) });
        }),
      ),
    );
}

/** Lists jobs. Refuses options that make no sense before it connects to the deployment. */
async function listThose(options: JobsOptions, context: Session["context"]): Promise<number> {
  filterOf(options, 0);
  const { jobs } = await import("../commands/jobs/jobs.ts");
  return jobs(options, await context());
}

async function requeueThose(ids: readonly string[], options: StopOptions, context: Session["context"]): Promise<number> {
  const { requeue } = await import("../commands/jobs/cancel.ts");
  return requeue(ids, options, await context());
}

async function cancelThose(
  ids: readonly string[],
  options: StopOptions & Partial<CancelManyOptions>,
  context: Session["context"],
): Promise<number> {
  const { state, name, pool, since: from, before: until, dryRun, yes } = options;
  if (ids.length > 0) {
    if ([state, name, pool, from, until, dryRun, yes].some((each) => each !== undefined))
      throw new UsageError("name the jobs or select them with --state, not both");
    const { cancel } = await import("../commands/jobs/cancel.ts");
    return cancel(ids, options, await context());
  }
  if (state === undefined) throw new UsageError("name the jobs, or select them: --state queued, --state running or --state all");
  if (options.wait) throw new UsageError("--wait works only with jobs that you name");
  const { cancelMany, statesMeant } = await import("../commands/jobs/cancel-many.ts");
  filterOf({ ...options, state }, 0, statesMeant);
  return cancelMany({ ...options, state }, { ...(await context()), confirm: confirmOnTerminal() });
}

async function logCommand({ whole: isWhole, follow: isFollowed }: LogOptions) {
  if (isWhole) return (await import("../commands/jobs/whole-log.ts")).wholeLog;
  return isFollowed ? (await import("../commands/jobs/follow-logs.ts")).follow : (await import("../commands/jobs/logs.ts")).logs;
}

function rank(text: string): number | "all" {
  return text === "all" ? text : whole(text, 0, 10_000);
}
