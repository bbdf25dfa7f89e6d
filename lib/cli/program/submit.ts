import type { Command, Option } from "commander";
import { asMeant } from "../asked-from.ts";
import type { SubmitOptions } from "../commands/submit.ts";
import type { CommandOptions } from "../commands/submit-command.ts";
import { terminal } from "../console.ts";
import { UsageError } from "../exit.ts";
import { type JobFile, readJobFile } from "../job-file.ts";
import { dataset, each, json, number, seconds, team, variable } from "./asked.ts";
import type { Session } from "./session.ts";

/** What goes with job files; everything else belongs to a job that is told on the command line. */
const withFiles: ReadonlySet<string> = new Set(["team", "wait", "json"]);

export function addSubmit(program: Command, session: Session): void {
  program
    .command("submit")
    .usage("[options] FILE…\n       fleet submit --workdir DIR [options] -- COMMAND [ARGUMENT…]")
    .description("send jobs to a team's queue; prints their ids")
    .argument("[files...]", "job files (JSON), or - for standard input; with --workdir or --image, the command and its arguments")
    .addOption(team())
    .option("--wait", "stay until they have ended; exit 1 unless all succeeded")
    .addOption(json())
    .optionsGroup("Options of a job that is told here, not in a file:")
    .option("--workdir <dir>", "pack this folder, and run the command in it (.fleetignore leaves files out, as .gitignore does)")
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
    .option("--env <name=value>", "a variable of its environment; may be repeated", variable)
    .option("--artifact <path>", "a file, folder or glob that is kept, encrypted, however it ends; may be repeated", each)
    .option("--dataset <name[:part]>", "a dataset that it reads, or its node's part of it; may be repeated", dataset)
    .addHelpText(
      "after",
      `
Examples:
  fleet submit --workdir . -- python train.py --epochs 3
  fleet submit --workdir src --gpus 2 --gpu-model A10G --max-runtime 2h --artifact model.pt --wait -- python train.py
  fleet submit --workdir . --dataset images:part --nodes 4 -- torchrun train.py
  fleet submit job.json other.json --team research
  echo '{"command":["nvidia-smi"]}' | fleet submit - --wait

A folder that has not changed is not uploaded again. Left out of it are always .git, node_modules, __pycache__ and .venv.`,
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
  if (options.workdir !== undefined || options.image !== undefined) {
    if (options.workdir !== undefined && operands.length === 0 && options.image === undefined)
      throw new UsageError(`say what to run in ${options.workdir}: fleet submit --workdir ${options.workdir} -- python train.py`);
    const { jobOf } = await import("../job-options.ts");
    jobOf(operands, options);
    const { submitCommand } = await import("../commands/submit-command.ts");
    const workdir = options.workdir === undefined ? undefined : asMeant(options.workdir);
    return submitCommand(operands, { ...options, workdir }, await session.context());
  }
  const foreign = given(command).filter((option) => !withFiles.has(option.attributeName()));
  if (foreign.length > 0)
    throw new UsageError(
      `${foreign.map(({ long }) => long).join(", ")}: only for a job told here, with --workdir DIR -- COMMAND; a job file says it itself`,
    );
  if (operands.length === 0)
    throw new UsageError("name job files, or - for standard input; or a folder and a command: --workdir DIR -- COMMAND");
  return submitFiles(operands, options, session);
}

/** All files are read before anything is asked or sent: a typing error in the last one leaves nothing half submitted. */
async function submitFiles(files: readonly string[], options: SubmitOptions, session: Session): Promise<number> {
  const read: JobFile[] = [];
  for (const file of files) read.push(await readJobFile(file, terminal.note));
  const { submit } = await import("../commands/submit.ts");
  return submit(read, options, await session.context());
}

const given = (command: Command): Option[] =>
  command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === "cli");
