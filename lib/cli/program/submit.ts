import type { Command, Option } from "commander";
import type { SubmitOptions } from "../commands/jobs/submit.ts";
import type { CommandOptions } from "../commands/jobs/submit-command.ts";
import { asMeant } from "../invocation/asked-from.ts";
import { UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { JobFile } from "../jobs/job-file.ts";
import { dataset, each, json, number, seconds, team, variable } from "./asked.ts";
import type { Session } from "./session.ts";

/** What goes with job files; everything else belongs to a job that is told on the command line. */
const withFiles: ReadonlySet<string> = new Set(["team", "wait", "json"]);

export function addSubmit(program: Command, session: Session): void {
  program
    .command("submit")
    .usage("[options] FILE…\n       fleet submit [--workdir DIR] [options] -- COMMAND [ARGUMENT…]")
    .description("send jobs to a team's queue; prints their ids")
    .argument(
      "[files...]",
      "job files, or - for standard input: a JSON object, a JSON array, or JSON Lines; what follows -- is a command and its arguments",
    )
    .addOption(team())
    .option("--wait", "stay until they have ended; exit 1 unless all succeeded")
    .addOption(json())
    .optionsGroup("Options of a job that is told here, not in a file:")
    .option("--workdir <dir>", "pack this folder, and run the command in it (.gitignore and .fleetignore files leave files out)")
    .option("--strict", "with --workdir: fail if something in the folder cannot be packed, such as a link that leads out of it")
    .option("--image <image>", "run it in this container image, in pools that run containers")
    .option("--id <id>", "your own name for it; sent again, it is the same job")
    .option("--gpus <n>", "how many GPUs (default: 1)", number)
    .option("--gpu-model <model>", "an allowed model, such as T4 or A10G; may be repeated", each)
    .option("--gpu-memory <GiB>", "least memory of each GPU", number)
    .option("--vcpus <n>", "virtual CPUs (default: 2)", number)
    .option("--memory <GiB>", "main memory (default: 8)", number)
    .option("--nodes <n>", "a gang: so many nodes at once, each with all of the above", number)
    .option("--pool <pool>", "the pool to run in (default: the deployment's)")
    .option("--priority <n>", "higher goes first (default: 0)", number)
    .option("--max-runtime <duration>", "the longest a run may take: 90s, 45m, 2h, 1h30m (default: 24h)", seconds)
    .option("--retries <n>", "how often a failed run is tried again; interruptions never count (default: 0)", number)
    .option("--no-spot", "on-demand instances only")
    .option("--zone <zone>", "an availability zone that it accepts, such as us-east-1a (default: any); may be repeated", each)
    .option("--env <name=value>", "a variable of its environment; may be repeated", variable)
    .option("--artifact <path>", "a file, folder or glob that is kept, encrypted, however it ends; may be repeated", each)
    .option("--dataset <name[:part]>", "a dataset that it reads, or its node's part of it; may be repeated", dataset)
    .addHelpText(
      "after",
      `
Examples:
  fleet submit --workdir . -- python train.py --epochs 3
  fleet submit --workdir src --gpus 2 --gpu-model A10G --max-runtime 2h --artifact model.pt --wait -- python train.py
  fleet submit -- nvidia-smi
  fleet submit --workdir . --dataset images:part --nodes 4 -- torchrun train.py
  fleet submit job.json other.json --team research
  fleet submit sweep.jsonl
  echo '{"command":["nvidia-smi"]}' | fleet submit - --wait

A file holds one job (a JSON object) or many: a JSON array, or JSON Lines, one job on each line. All are checked before any is sent,
also with the deployment: what can never run there is refused with exit code 2.
A folder that has not changed is not uploaded again. Left out of it are what .gitignore files say and then what .fleetignore
files say (a line !data/best.pt there brings back what git ignores), and always .git, .fleetwright, node_modules, virtual
environments and Python's caches.`,
    )
    .action((operands: readonly string[], options: CommandOptions, command: Command) =>
      session.run(send(operands, options, { command, session })),
    );
}

async function send(
  operands: readonly string[],
  options: CommandOptions,
  { command, session }: { command: Command; session: Session },
): Promise<number> {
  const { files, program } = divided(operands, session.argv);
  const isToldHere = options.workdir !== undefined || options.image !== undefined || program !== undefined;
  if (isToldHere && files.length > 0 && program !== undefined)
    throw new UsageError(
      `${files.join(", ")}: what stands before -- is a job file, and what follows it is a job of its own; send one or the other`,
    );
  // Without options of its own, a program may be named without --.
  if (isToldHere) return sendCommand(program ?? files, options, session);
  const foreign = given(command).filter((option) => !withFiles.has(option.attributeName()));
  if (foreign.length > 0)
    throw new UsageError(
      `${foreign.map(({ long }) => long).join(", ")}: only for a job told here, with -- COMMAND or --workdir DIR -- COMMAND; a job file says it itself`,
    );
  if (files.length === 0)
    throw new UsageError("name job files, or - for standard input; or a command: -- COMMAND, or --workdir DIR -- COMMAND");
  return submitFiles(files, options, session);
}

async function sendCommand(program: readonly string[], options: CommandOptions, session: Session): Promise<number> {
  if (program.length === 0 && options.image === undefined) {
    const folder = options.workdir === undefined ? "" : ` in ${options.workdir}`;
    const how = options.workdir === undefined ? [] : ["--workdir", options.workdir];
    throw new UsageError(`say what to run${folder}: ${commandLine("submit", ...how, "--", "python", "train.py")}`);
  }
  const { jobOf } = await import("../jobs/job-options.ts");
  jobOf(program, options);
  const { submitCommand } = await import("../commands/jobs/submit-command.ts");
  const workdir = options.workdir === undefined ? undefined : asMeant(options.workdir);
  return submitCommand(program, { ...options, workdir }, await session.context());
}

/** All files are read before anything is asked or sent: a typing error in the last one leaves nothing half submitted. */
async function submitFiles(files: readonly string[], options: SubmitOptions, session: Session): Promise<number> {
  const { readJobFile } = await import("../jobs/job-file.ts");
  const read: JobFile[] = [];
  for (const file of files) read.push(...(await readJobFile(file, session.console.note)));
  const { submit } = await import("../commands/jobs/submit.ts");
  return submit(read, options, await session.context());
}

/** What follows `--` is a command, with its own options; `program` is undefined where there is no `--`. */
export function divided(
  operands: readonly string[],
  args: readonly string[],
): { readonly files: readonly string[]; readonly program: readonly string[] | undefined } {
  for (let at = args.indexOf("--"); at !== -1; at = args.indexOf("--", at + 1)) {
    const after = args.slice(at + 1);
    const from = operands.length - after.length;
    // Else it was an option's value: that one did not divide anything.
    if (from >= 0 && after.every((arg, index) => operands[from + index] === arg)) return { files: operands.slice(0, from), program: after };
  }
  return { files: operands, program: undefined };
}

const given = (command: Command): Option[] =>
  command.options.filter((option) => !option.hidden && command.getOptionValueSource(option.attributeName()) === "cli");
