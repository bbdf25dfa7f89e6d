import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { exitCodes, explain } from "../invocation/exit.ts";
import { packageRoot } from "../invocation/folders.ts";
import { asCalled } from "../invocation/invocation.ts";
import { addChaos } from "./chaos.ts";
import { addDatasets } from "./datasets.ts";
import { addFleet } from "./fleet.ts";
import { addJobs } from "./jobs.ts";
import { addLocal, addUse } from "./local.ts";
import { addPlanning } from "./planning.ts";
import { openSession, type Session, type Start } from "./session.ts";
import { addSubmit } from "./submit.ts";

/** Runs the command that the words name and says what went wrong, if anything did. Answers the exit code. */
export async function runFleet(start: Start): Promise<number> {
  const program = fleetCommand(start);
  const session = openSession(program, start);
  addCommands(program, session);
  try {
    await program.parseAsync(start.argv);
    return session.exitCode();
  } catch (error) {
    // Commander has said itself what was wrong; help and version end here too, with 0.
    if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return explain(error, start.console.note);
  }
}

/** The command by itself, which knows no other yet. */
function fleetCommand({ console }: Start): Command {
  const { version }: { version: string } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  /** Help as this user can paste it. */
  const linesOf = (text: string): string[] => {
    const names = program.commands.map((command) => command.name());
    return asCalled(text, names).trimEnd().split("\n");
  };
  const program: Command = new Command("fleet")
    .helpCommand(false)
    .description("Fleetwright: GPU jobs from a queue, on a fleet that scales from zero and back")
    .version(version)
    .addOption(new Option("--name <name>", "the deployment to speak to").env("FLEETWRIGHT_NAME").default("fleetwright"))
    .addOption(new Option("--local", "speak to the local cloud, or fail if none runs").conflicts("aws"))
    .addOption(new Option("--aws", "speak to AWS even while a local cloud runs here"))
    .configureOutput({ writeOut: (text) => linesOf(text).forEach(console.out), writeErr: (text) => linesOf(text).forEach(console.note) })
    .addHelpText(
      "after",
      `
Examples:
  fleet local                                          a cloud on this machine; keep it running
  fleet submit --workdir . -- python train.py          pack this folder, and run the command in it on a GPU
  fleet jobs                                           how they are
  fleet logs train-7 -f                                what one writes, while it writes it
  fleet artifacts get train-7 ./out                    what it left, decrypted and verified
  fleet decisions                                      what the fleet did, and why

Commands speak to the local cloud that runs on this machine, or to AWS with your usual region and credentials; "fleet use" shows
and sets which. Each command that changes something says which it was. "fleet COMMAND --help" has its options and examples.

Environment:
  FLEETWRIGHT_TEAM, FLEETWRIGHT_NAME   for --team and --name
  FLEETWRIGHT_TARGET=local|aws         where commands go, in this shell
  FLEETWRIGHT_HOME                     where local clouds keep what they need and their logs (default: .fleetwright in the checkout), and
                                       where commands remember them (default: ~/.local/state/fleetwright)
  FLEETWRIGHT_COMMAND                  what you type for "fleet", if it is a wrapper of your own: hints begin with it
  FLEETWRIGHT_DEBUG=1                  shows where an error came from
  NO_COLOR=1                           no colours, not even on a terminal

The exit code is 0 when it worked, 1 when it did not, 2 when it was asked wrongly, 130 when it was interrupted.`,
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
  program.commandsGroup("Planning:");
  addPlanning(program, session);
  program.commandsGroup("This machine:");
  addLocal(program, session);
  addUse(program, session);
  addChaos(program, session);
  takeOptionsEverywhere(program);
  pointToHelp(program, "fleet");
}

/** Who asked a command wrongly is sent to the help of that command. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help tells more)`).exitOverride();
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}

/**
 * Lets the program's own options stand behind a command's name, too, unless the command has one of that name: `--name` is the
 * deployment before `jobs`, and a pattern after it.
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
