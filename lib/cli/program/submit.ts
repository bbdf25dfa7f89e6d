import type { Command, Option } from "commander";
import type { SubmitOptions } from "../commands/jobs/submit.ts";
import type { CommandOptions } from "../commands/jobs/submit-command.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { JobFile } from "../jobs/job-file.ts";
import { dataset, each, json, number, seconds, team, variable } from "./options.ts";
import type { Session } from "./session.ts";

/** Options that may be used with job files. All others describe a job given on the command line. */
const withFiles: ReadonlySet<string> = new Set(["team", "wait", "json"]);

export function addSubmit(program: Command, session: Session): void {
  program
    .command("submit")
    .usage("[options] FILE…\n       fleet submit [--workdir DIR] [options] -- COMMAND [ARGUMENT…]")
    .description("send jobs to a team's queue, and print their ids")
    .argument(
      "[files...]",
      "job files, or - for standard input: a JSON object, a JSON array, or JSON Lines; after --, a command and its arguments",
    )
    .addOption(team())
    .option("--wait", "wait until the jobs have ended; exit 1 unless all succeeded")
    .addOption(json())
    .optionsGroup("Options for a job given on the command line:")
    .option("--workdir <dir>", "pack this folder and run the command in it (.gitignore and .fleetignore files exclude files)")
    .option("--strict", "with --workdir: fail if something in the folder cannot be packed, for example a link that leads out of it")
    .option("--image <image>", "run the command in this container image, in pools that run containers")
    .option("--id <id>", "your own id for the job; if it is sent again with the same id, it is the same job")
    .option("--gpus <n>", "number of GPUs (default: 1)", number)
    .option("--gpu-model <model>", "an accepted GPU model, for example T4 or A10G; may be repeated", each)
    .option("--gpu-memory <GiB>", "minimum memory of each GPU", number)
    .option("--vcpus <n>", "number of virtual CPUs (default: 2)", number)
    .option("--memory <GiB>", "main memory (default: 8)", number)
    .option("--nodes <n>", "run as a gang on this many nodes at once, each with all of the above", number)
    .option("--pool <pool>", "the pool to run in (default: the deployment's)")
    .option("--priority <n>", "jobs with a higher priority go first (default: 0)", number)
    .option("--max-runtime <duration>", "the longest that a run may take: 90s, 45m, 2h, 1h30m (default: 24h)", seconds)
    .option("--retries <n>", "how often to retry a failed run; interruptions do not count (default: 0)", number)
    .option("--no-spot", "use on-demand instances only")
    .option("--zone <zone>", "an accepted availability zone, for example us-east-1a (default: any); may be repeated", each)
    .option("--env <name=value>", "an environment variable; may be repeated", variable)
    .option("--artifact <path>", "a file, folder or glob to keep, encrypted, however the run ends; may be repeated", each)
    .option("--dataset <name[:part]>", "a dataset that the job reads, or its node's part of it; may be repeated", dataset)
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

A file holds one job (a JSON object) or many: a JSON array, or JSON Lines with one job per line. All jobs are checked before any
is sent, also by the deployment: if one can never run there, the command refuses it and exits with code 2.
A folder that has not changed is not uploaded again. The rules of .gitignore files and then those of .fleetignore files exclude
files; a line !data/best.pt in a .fleetignore file includes a file that git ignores. Always excluded are .git, .fleetwright,
node_modules, virtual environments and Python's caches.`,
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
  const isGivenHere = options.workdir !== undefined || options.image !== undefined || program !== undefined;
  if (isGivenHere && files.length > 0 && program !== undefined)
    throw new UsageError(
      `${files.join(", ")}: before -- is a job file, and after it a command, which is another job; send one or the other`,
    );
  // A program without options of its own may be named without --.
  if (isGivenHere) return sendCommand(program ?? files, options, session);
  const foreign = given(command).filter((option) => !withFiles.has(option.attributeName()));
  if (foreign.length > 0)
    throw new UsageError(
      `${foreign.map(({ long }) => long).join(", ")}: only for a job given on the command line, with -- COMMAND or --workdir DIR -- COMMAND; in a job file, use the job's own fields`,
    );
  if (files.length === 0)
    throw new UsageError("name job files, or - for standard input; or give a command: -- COMMAND, or --workdir DIR -- COMMAND");
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

/** Reads all files before it asks or sends anything, so that a mistake in the last file does not leave a submission half done. */
async function submitFiles(files: readonly string[], options: SubmitOptions, session: Session): Promise<number> {
  const { readJobFile } = await import("../jobs/job-file.ts");
  const read: JobFile[] = [];
  for (const file of files) read.push(...(await readJobFile(file, session.console.note)));
  const { submit } = await import("../commands/jobs/submit.ts");
  return submit(read, options, await session.context());
}

/** Splits the operands at `--`. After it stands a command with its own options; `program` is undefined if there is no `--`. */
export function divided(
  operands: readonly string[],
  args: readonly string[],
): { readonly files: readonly string[]; readonly program: readonly string[] | undefined } {
  for (let at = args.indexOf("--"); at !== -1; at = args.indexOf("--", at + 1)) {
    const after = args.slice(at + 1);
    const from = operands.length - after.length;
    // Otherwise this `--` was the value of an option, and did not separate anything.
    if (from >= 0 && after.every((arg, index) => operands[from + index] === arg)) return { files: operands.slice(0, from), program: after };
  }
  return { files: operands, program: undefined };
}

const given = (command: Command): Option[] =>
  command.options.filter((option) => !option.hidden && command.getOptionValueSource(option.attributeName()) === "cli");
