import { Argument, type Command } from "commander";
import { json } from "./asked.ts";
import type { Session } from "./session.ts";

export function addUse(program: Command, { run, console }: Session): void {
  program
    .command("use")
    .description("say where commands go from now on: to the local cloud or to AWS; alone, show where, and why")
    .addArgument(new Argument("[target]", "where to").choices(["local", "aws"]))
    .addOption(json())
    .addHelpText(
      "after",
      `
It is remembered for this user. FLEETWRIGHT_TARGET=local|aws goes before it in one shell, and --local or --aws in one command.
Without any of them commands speak to the local cloud that runs, and to AWS if none ever ran; when one has ended, they fail.

Examples:
  fleet use
  fleet use aws`,
    )
    .action((target: "local" | "aws" | undefined, options) =>
      run(import("../commands/use.ts").then(({ use }) => use(target, options, console))),
    );
}
