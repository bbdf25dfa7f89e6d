import { withCauses } from "../../model/errors/in-words.ts";
import { attemptName } from "../../model/job.ts";
import { findExecutable } from "../program/executable.ts";
import { type Program, startProgram } from "../program/program.ts";
import type { Exit, ProgramEnd } from "../program/running.ts";
import type { User } from "../program/user.ts";
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
    const cgroup = await machine.cgroups?.make(attemptId(job), spec);
    const startedAtMs = job.tries.clock.wallMs();
    let program: Program;
    try {
      const at = { file: found.file, folder: work, env, user: machine.jobUser, cgroupProcs: cgroup?.procs };
      program = await startProgram({ ...at, command: spec.command, output: job.output });
    } catch (error) {
      await cgroup?.end();
      if (isMachinesTrouble(error)) throw error;
      machine.log("warn", "job command not started", { attempt: attemptName(job.order) }, error);
      return { kind: "exited", code: 126, reason: `the command could not be started: ${withCauses(error)}` };
    }
    await recorded(job, program, cgroup);
    const ended = async (): Promise<ProgramEnd> => {
      const exit = await reasoned(machine, job, { exit: await program.exited, cgroup });
      await endLeftovers(work);
      return { kind: "exited", ...exit };
    };
    return { startedAtMs, ended: ended(), stop: (graceMs) => program.stop(graceMs) };
  };

const attemptId = ({ order }: JobStart): string => `${order.team}.${order.job}.${order.attempt}`;

/** Records the program, so that a restarted worker finds it. If that fails, the program is ended, because it could not be found later. */
async function recorded({ folder }: JobStart, program: Program, cgroup: Cgroup | undefined): Promise<void> {
  try {
    await recordProgram(folder, program.pid);
  } catch (error) {
    program.stop(0);
    await program.exited;
    await cgroup?.end();
    throw error;
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
