#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import { asMeant } from "./asked-from.ts";
import type { SubmitOptions } from "./commands/submit.ts";
import { terminal } from "./console.ts";
import { exitCodes, explain } from "./exit.ts";
import { usualPort } from "./free-port.ts";
import { type JobFile, readJobFile } from "./job-file.ts";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

const program = new Command("fleet")
  .description("Fleetwright: GPU jobs from a queue, on a fleet that scales from zero and back")
  .version(version)
  .addOption(new Option("--name <name>", "the deployment to speak to").env("FLEETWRIGHT_NAME").default("fleetwright"))
  .option("--aws", "speak to AWS even while a local cloud runs here")
  .addHelpText(
    "after",
    `
Examples:
  fleet local                                a cloud on this machine; keep it running
  fleet submit job.json --team research      {"command":["python","train.py"]} is the smallest job
  fleet jobs --team research
  fleet job train-7 --team research
  fleet artifacts get train-7 ./out --team research

Commands speak to the local cloud while one runs here, else to AWS with your usual region and credentials.
From a checkout, "npm run -s fleet --" stands for "fleet".

Environment:
  FLEETWRIGHT_TEAM, FLEETWRIGHT_NAME   for --team and --name
  FLEETWRIGHT_HOME                     where the local cloud keeps its emulators, logs and address (default: .fleetwright in the checkout)
  FLEETWRIGHT_DEBUG=1                  shows where an error came from

The exit code is 0 when it worked, 1 when it did not, 2 when it was asked wrongly, 130 when it was interrupted.`,
  );

const team = (): Option => new Option("--team <team>", "the team to speak for").env("FLEETWRIGHT_TEAM");
const json = (): Option => new Option("--json", "print JSON, for programs");

function whole(text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted`);
  return value;
}

/** Runs a command's work and makes its number the exit code. */
const run = async (work: Promise<number>): Promise<void> => {
  process.exitCode = await work;
};
// Commands are loaded when they are run: help comes at once, and a job is submitted without loading the local cloud.
const connected = async () => {
  const { connect } = await import("./connection.ts");
  return { connection: await connect(program.opts(), terminal.note), console: terminal };
};

/** All files are read before anything is asked or sent: a typing error in the last one leaves nothing half submitted. */
async function send(files: readonly string[], options: SubmitOptions): Promise<number> {
  const read: JobFile[] = [];
  for (const file of files) read.push(await readJobFile(file, terminal.note));
  const { submit } = await import("./commands/submit.ts");
  return submit(read, options, await connected());
}

program
  .command("submit")
  .description("send jobs to a team's queue; prints their ids")
  .argument("<files...>", "job files (JSON), or - for standard input")
  .addOption(team())
  .option("--wait", "stay until they have ended; exit 1 unless all succeeded")
  .addOption(json())
  .addHelpText("after", '\nExample:\n  echo \'{"command":["nvidia-smi"]}\' | fleet submit - --team research --wait')
  .action((files: readonly string[], options) => run(send(files, options)));

program
  .command("jobs")
  .description("list a team's jobs, newest first")
  .addOption(team())
  .option("--state <state>", "only those in this state")
  .option("--limit <n>", "how many", (text) => whole(text, 1, 100), 20)
  .option("--cursor <cursor>", "go on where the last page ended")
  .addOption(json())
  .action((options) =>
    run(import("./commands/jobs.ts").then(async ({ jobs }) => jobs(options, { ...(await connected()), nowMs: Date.now() }))),
  );

program
  .command("job")
  .description("show one job: its state, why, where, and what it left")
  .argument("<id>")
  .addOption(team())
  .addOption(json())
  .action((id, options) => run(import("./commands/job.ts").then(async ({ job }) => job(id, options, await connected()))));

program
  .command("logs")
  .description("print what a job has written")
  .argument("<id>")
  .addOption(team())
  .option("--attempt <n>", "an earlier attempt", (text) => whole(text, 1, 1_000_000))
  .addOption(json())
  .action((id, options) => run(import("./commands/job.ts").then(async ({ logs }) => logs(id, options, await connected()))));

program
  .command("artifacts")
  .description("fetch what jobs left")
  .command("get")
  .description("fetch, decrypt and verify a job's artifacts into a folder")
  .argument("<id>")
  .argument("<folder>")
  .addOption(team())
  .addOption(json())
  .action((id, folder, options) =>
    run(
      import("./commands/artifacts.ts").then(async ({ getArtifacts }) =>
        getArtifacts(id, asMeant(folder), { options, ...(await connected()) }),
      ),
    ),
  );

program
  .command("local")
  .description("run the whole of it on this machine, without an account, until Ctrl-C")
  .option("--port <port>", `where to listen on 127.0.0.1 (default: ${usualPort}, or a free one when that is taken)`, (text) =>
    whole(text, 1, 65_535),
  )
  .action((options) => run(import("./commands/local.ts").then(({ local }) => local(options, terminal))));

program
  .command("demo")
  .description("show the main job on this machine: a few jobs in, artifacts out, and back to zero")
  .addOption(json())
  .action((options) => run(import("./commands/demo.ts").then(({ demo }) => demo(options, terminal))));

/** Who asked a command wrongly is sent to the help of that command. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help tells more)`).exitOverride();
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}
pointToHelp(program, "fleet");

// Whoever reads us may have had enough (`fleet jobs | head -1`): then nothing is left to say, and nothing is wrong.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said itself what was wrong; help and version end here too, with 0.
  if (error instanceof Error && "exitCode" in error) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else process.exitCode = explain(error, terminal.note);
}
