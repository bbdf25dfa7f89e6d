import type { Command } from "commander";
import { asMeant } from "../asked-from.ts";
import type { LogOptions } from "../commands/logs.ts";
import { cursor, json, limit, seconds, team, whole } from "./asked.ts";
import type { Session } from "./session.ts";

export function addJobs(program: Command, session: Session): void {
  const { run, context } = session;
  program
    .command("jobs")
    .description("list a team's jobs, newest first")
    .addOption(team())
    .option("--state <state>", "only those in this state")
    .addOption(limit(100))
    .addOption(cursor())
    .addOption(json())
    .addHelpText("after", "\nExamples:\n  fleet jobs --state running\n  fleet jobs --limit 100 --json | jq -r '.jobs[].id'")
    .action((options) => run(import("../commands/jobs.ts").then(async ({ jobs }) => jobs(options, await context()))));

  program
    .command("job")
    .description("show one job: its state, why, where, and what it left")
    .argument("<id>")
    .addOption(team())
    .addOption(json())
    .addHelpText("after", "\nExamples:\n  fleet job train-7\n  fleet job train-7 --json | jq -r .state")
    .action((id: string, options) => run(import("../commands/job.ts").then(async ({ job }) => job(id, options, await context()))));

  program
    .command("logs")
    .description("print what a job has written, or follow it while it writes")
    .argument("<id>")
    .addOption(team())
    .option("-f, --follow", "go on until the job has ended; exit 0 if it succeeded, else 1")
    .option("--attempt <n>", "this attempt (default: the latest); with --follow, it and those after it", (text) =>
      whole(text, 1, 1_000_000),
    )
    .option("--rank <n>", "this member of a gang (default: 0, the first one), or all, each line with its rank", rank)
    .option("--tail <n>", "only so many of the newest lines", (text) => whole(text, 1, 10_000))
    .option("--since <duration>", "only lines of the last 90s, 10m, 2h", seconds)
    .option("--whole", "the complete output as it was kept, byte for byte; what is printed otherwise may leave parts out of much output")
    .option("--raw", "print control characters as they are")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExamples:\n  fleet logs train-7 -f --tail 20\n  fleet logs train-7 --attempt 1 --rank all\n  fleet logs train-7 --since 10m\n  fleet logs train-7 --whole > train-7.log",
    )
    .action((id: string, options: LogOptions) => run(logCommand(options).then(async (command) => command(id, options, await context()))));

  program
    .command("cancel")
    .description("cancel jobs, waiting or running")
    .argument("<ids...>")
    .addOption(team())
    .option("--reason <text>", "on record with the job")
    .option("--wait", "stay until their programs have been stopped")
    .addOption(json())
    .addHelpText("after", '\nExamples:\n  fleet cancel train-7\n  fleet cancel train-7 train-8 --reason "wrong data" --wait')
    .action((ids: readonly string[], options) =>
      run(import("../commands/cancel.ts").then(async ({ cancel }) => cancel(ids, options, await context()))),
    );

  program
    .command("artifacts")
    .description("fetch what jobs left")
    .command("get")
    .description("fetch, decrypt and verify a job's artifacts into a folder")
    .argument("<id>")
    .argument("<folder>")
    .addOption(team())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet artifacts get train-7 ./out")
    .action((id: string, folder: string, options) =>
      run(
        import("../commands/artifacts.ts").then(async ({ getArtifacts }) =>
          getArtifacts(id, asMeant(folder), { options, ...(await context()) }),
        ),
      ),
    );
}

async function logCommand({ whole: isWhole, follow: isFollowed }: LogOptions) {
  if (isWhole) return (await import("../commands/whole-log.ts")).wholeLog;
  return isFollowed ? (await import("../commands/follow-logs.ts")).follow : (await import("../commands/logs.ts")).logs;
}

function rank(text: string): number | "all" {
  return text === "all" ? text : whole(text, 0, 10_000);
}
