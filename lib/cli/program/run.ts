import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { exitCodes, explain } from "../invocation/exit.ts";
import { packageRoot } from "../invocation/folders.ts";
import { asCalled } from "../invocation/invocation.ts";
import { addChaos } from "./chaos.ts";
import { addDatasets } from "./datasets.ts";
import { addDoctor } from "./doctor.ts";
import { addFleet } from "./fleet.ts";
import { addJobs } from "./jobs.ts";
import { addLocal, addUse } from "./local.ts";
import { addPlanning } from "./planning.ts";
import { openSession, type Session, type Start } from "./session.ts";
import { addSubmit } from "./submit.ts";

/** Runs the command that `argv` names, and prints what went wrong. Returns the exit code. */
export async function runFleet(start: Start): Promise<number> {
  const program = fleetCommand(start);
  const session = openSession(program, start);
  addCommands(program, session);
  try {
    await program.parseAsync(start.argv);
    return session.exitCode();
  } catch (error) {
    // Commander has already printed the error. Help and --version also end here, with exit code 0.
    if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return explain(error, start.console.note);
  }
}

/** The program with its own options, before any command is added. */
function fleetCommand({ console }: Start): Command {
  const { version }: { version: string } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  /** Returns the lines of a help text, with each command as this user must type it. */
  const linesOf = (text: string): string[] => {
    const names = program.commands.map((command) => command.name());
    return asCalled(text, names).trimEnd().split("\n");
  };
  const program: Command = new Command("fleet")
    .helpCommand(false)
    .description("Fleetwright runs GPU jobs from a queue, on a fleet that scales from zero and back to zero")
    .version(version)
    .addOption(new Option("--name <name>", "the deployment to use").env("FLEETWRIGHT_NAME").default("fleetwright"))
    .addOption(new Option("--local", "use the local cloud; fail if none is running").conflicts("aws"))
    .addOption(new Option("--aws", "use AWS, even if a local cloud is running"))
    .configureOutput({ writeOut: (text) => linesOf(text).forEach(console.out), writeErr: (text) => linesOf(text).forEach(console.note) })
    .addHelpText(
      "after",
      `
Examples:
  fleet local                                          run a cloud on this machine; leave it running
  fleet submit --workdir . -- python train.py          pack this folder and run the command in it on a GPU
  fleet jobs                                           list your jobs and their states
  fleet logs train-7 -f                                follow the output of a job
  fleet artifacts get train-7 ./out                    fetch, decrypt and verify its artifacts
  fleet decisions                                      list what the fleet did and why

Commands go to the local cloud that runs on this machine, or to AWS with your usual region and credentials; "fleet use" shows and
sets which. A command that changes something prints where it went. "fleet COMMAND --help" lists its options and examples.

Environment:
  FLEETWRIGHT_TEAM, FLEETWRIGHT_NAME   the defaults of --team and --name
  FLEETWRIGHT_TARGET=local|aws         where commands of this shell go
  FLEETWRIGHT_HOME                     where local clouds keep their emulators and logs (default: .fleetwright in the checkout), and
                                       where commands remember running clouds (default: ~/.local/state/fleetwright)
  FLEETWRIGHT_COMMAND                  what you type instead of "fleet", if you use a wrapper; hints begin with it
  FLEETWRIGHT_DEBUG=1                  print the stack and the causes of an error
  NO_COLOR=1                           print no colours, even on a terminal

The exit code is 0 on success, 1 on failure, 2 if the command was used wrongly, and 130 if it was interrupted.`,
    );
  return program;
}

function addCommands(program: Command, session: Session): void {
  program.commandsGroup("Jobs:");
  addSubmit(program, session);
  addJobs(program, session);
  program.commandsGroup("Data:");
  addDatasets(program, session);
  program.commandsGroup("The fleet:");
  addFleet(program, session);
  addDoctor(program, session);
  program.commandsGroup("Planning:");
  addPlanning(program, session);
  program.commandsGroup("This machine:");
  addLocal(program, session);
  addUse(program, session);
  addChaos(program, session);
  takeOptionsEverywhere(program);
  pointToHelp(program, "fleet");
}

/** Makes each usage error end with a hint to the help of its command. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(see ${path} --help)`).exitOverride();
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}

/**
 * Accepts the program's own options after a command's name too, unless the command has an option of the same name: `--name` means
 * the deployment before `jobs`, and a pattern after it.
 */
function takeOptionsEverywhere(program: Command): void {
  program.enablePositionalOptions();
  for (const command of program.commands) share(program, command);
}

function share(program: Command, command: Command): void {
  for (const option of program.options) {
    const name = option.name();
    if (name === "version" || command.options.some((own) => own.long === option.long)) continue;
    command.addOption(new Option(option.flags).hideHelp());
    command.on(`option:${name}`, (value: unknown) => {
      program.setOptionValueWithSource(option.attributeName(), value ?? true, "cli");
    });
  }
  for (const each of command.commands) share(program, each);
}
