import { type Command, Option } from "commander";

/**
 * Lets the program's own options stand behind a command's name, too, unless the command has one of that name: `--name` is the
 * deployment before `jobs`, and a pattern after it.
 */
export function takeOptionsEverywhere(program: Command): void {
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
