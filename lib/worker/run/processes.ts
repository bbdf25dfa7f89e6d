import { withCauses } from "../../model/errors/in-words.ts";
import { attemptName } from "../../model/job.ts";
import { findExecutable } from "../program/executable.ts";
import { type Program, startProgram, type User } from "../program/program.ts";
import type { Exit, ProgramEnd } from "../program/running.ts";
import type { WorkerLog } from "../runtime/log.ts";
import type { Cgroup, Cgroups } from "./cgroup.ts";
import { recordProgram } from "./folders.ts";
import { jobEnvironment } from "./job-environment.ts";
import type { BeginJob, JobStart } from "./job-runtime.ts";
import { endLeftovers } from "./leftover-processes.ts";

export type ProcessMachine = {
  /** The search path of jobs. */
  readonly path: string;
  /** The user that runs jobs. If undefined, the worker's own user runs them. */
  readonly jobUser?: User | undefined;
  readonly cgroups?: Cgroups | undefined;
  readonly log: WorkerLog;
};

/** Runs jobs as plain processes of this machine. */
export const processesOn =
  (machine: ProcessMachine): BeginJob =>
  async (job) => {
    const { spec } = job.order;
    const { work, tmp } = job.folder;
    const env = jobEnvironment(job.order, { work, tmp, data: job.data, gpus: job.gpus, path: machine.path });
    const found = await findExecutable(spec.command[0] ?? "", { folder: work, path: env["PATH"] ?? "" });
    if (found.kind === "missing") return { kind: "exited", code: found.exitCode, reason: found.reason };
    const startedAtMs = job.tries.clock.wallMs();
    let program: Program;
    try {
      const { file } = found;
      program = await startProgram({ file, command: spec.command, folder: work, env, user: machine.jobUser, output: job.output });
    } catch (error) {
      if (isMachinesTrouble(error)) throw error;
      machine.log("warn", "job command not started", { attempt: attemptName(job.order) }, error);
      return { kind: "exited", code: 126, reason: `the command could not be started: ${withCauses(error)}` };
    }
    const cgroup = await limit(machine, job, program);
    await recordProgram(job.folder, program.pid);
    const ended = async (): Promise<ProgramEnd> => {
      const exit = await reasoned(machine, job, { exit: await program.exited, cgroup });
      await endLeftovers(work);
      return { kind: "exited", ...exit };
    };
    return { startedAtMs, ended: ended(), stop: (graceMs) => program.stop(graceMs) };
  };

async function limit({ cgroups, log }: ProcessMachine, { order }: JobStart, program: Program): Promise<Cgroup | undefined> {
  try {
    return await cgroups?.hold(`${order.team}.${order.job}.${order.attempt}`, program.pid, order.spec);
  } catch (error) {
    // The program may have ended already. If not, it runs without limits, which is better than not at all.
    log("warn", "attempt runs without memory and CPU limits", { attempt: attemptName(order) }, error);
    return undefined;
  }
}

async function reasoned(
  { log }: ProcessMachine,
  { order }: JobStart,
  { exit, cgroup }: { readonly exit: Exit; readonly cgroup: Cgroup | undefined },
): Promise<Exit> {
  if (cgroup === undefined) return exit;
  try {
    const { ranOutOfMemory } = await cgroup.end();
    if (!ranOutOfMemory || exit.code === 0) return exit;
    return { code: exit.code, reason: `ran out of its ${order.spec.memoryGiB} GiB of memory; ${exit.reason ?? ""}` };
  } catch (error) {
    log("warn", "cgroup not ended", { attempt: attemptName(order) }, error);
    return exit;
  }
}

/** Reports whether the node has too many processes, too many open files or too little memory. Then another try may succeed. */
function isMachinesTrouble(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EAGAIN" || code === "ENOMEM" || code === "EMFILE" || code === "ENFILE";
}
