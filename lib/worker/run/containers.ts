import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { jsonOf } from "../../../events/json.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { attemptName } from "../../model/job.ts";
import { errorOf } from "../program/command.ts";
import { type Program, startProgram } from "../program/program.ts";
import type { ProgramEnd, Running } from "../program/running.ts";
import type { User } from "../program/user.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { containerName, containerVariables, folderLabel, runArguments } from "./container-command.ts";
import { ContainerState, endOf, type Inspected } from "./container-end.ts";
import { pullImage, pullTimeoutMs } from "./container-image.ts";
import { complaintOf, type Docker, didIt, findDocker } from "./docker.ts";
import { containerEnvFile } from "./folders.ts";
import type { BeginJob, JobStart } from "./job-runtime.ts";
import { endLeftovers } from "./leftover-processes.ts";

export type ContainerMachine = {
  /** The worker's own folder. */
  readonly folder: string;
  /** The search path on which `docker` is looked up. */
  readonly path: string;
  /** The user that runs jobs. If undefined, the worker's own user runs them. */
  readonly jobUser?: User | undefined;
  readonly log: WorkerLog;
};

const briefMs = 10_000;
const removeMs = 60_000;
const inspectTries = 3;
const betweenMs = 250;
/** How long Docker's client may live after its container was killed. */
const hangMs = 3_000;

/** Runs jobs in containers, through the docker command line. */
export const containersOn =
  (machine: ContainerMachine): BeginJob =>
  async (job) => {
    const docker = await findDocker(machine.path);
    if (docker === undefined) throw new FleetError("docker", "this node has no Docker, which the job's image needs");
    const { order, tries, onLine, output } = job;
    const user = machine.jobUser ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const envFile = join(job.folder.root, containerEnvFile);
    const args = runArguments(job, { root: machine.folder, envFile, user });
    const variables = containerVariables(job);
    const say = (line: string): void => onLine(`[fleetwright: docker pull: ${line}]`);
    await pullImage(docker, { image: order.spec.image ?? "", onLine: say, timeoutMs: pullTimeoutMs }, tries);
    await writeFile(envFile, variables.file, { mode: 0o600 });
    // An earlier process of this worker may have left a container of this name that it could not remove.
    await docker.run(["rm", "--force", "--volumes", containerName(order)], { timeoutMs: removeMs, signal: tries.signal });
    if (tries.signal.aborted) throw new FleetError("stopped", "the attempt was stopped", { retry: true });
    const command = ["docker", ...args];
    const startedAtMs = tries.clock.wallMs();
    const client = await startProgram({ file: docker.file, command, folder: "/", env: { ...docker.env, ...variables.client }, output });
    return { startedAtMs, ...follow(machine, job, { docker, client }) };
  };

/** Removes containers that an earlier process of the worker left. Returns whether none is left. */
export async function removeLeftContainers({ folder, path, log }: Omit<ContainerMachine, "jobUser">): Promise<boolean> {
  const docker = await findDocker(path);
  if (docker === undefined) return false;
  const listed = await docker.run(["ps", "--all", "--quiet", "--filter", `label=${folderLabel}=${folder}`], { timeoutMs: briefMs });
  if (!didIt(listed)) {
    log("info", "leftover containers not listed", { because: complaintOf(listed) }, errorOf(listed));
    return false;
  }
  const ids = listed.stdout.split(/\s+/).filter((id) => /^[0-9a-f]{12,64}$/.test(id));
  if (ids.length === 0) return true;
  const removed = await docker.run(["rm", "--force", "--volumes", ...ids], { timeoutMs: removeMs });
  if (didIt(removed)) log("info", "leftover containers removed", { containers: ids.length });
  else log("warn", "leftover containers not removed", { because: complaintOf(removed) }, errorOf(removed));
  return didIt(removed);
}

/** Follows a container whose `docker run` was started. */
function follow(
  machine: ContainerMachine,
  { order, folder }: JobStart,
  at: { docker: Docker; client: Program },
): Omit<Running, "startedAtMs"> {
  const { docker, client } = at;
  const name = containerName(order);
  let over = false;
  let stopped = false;
  let killTimer: NodeJS.Timeout | undefined;
  /** Repeats a command until it succeeds, because the container may not exist yet when it must stop. */
  const untilDone = async (args: readonly string[], timeoutMs: number): Promise<void> => {
    while (!over && !didIt(await docker.run([...args, name], { timeoutMs }))) await pause(betweenMs);
  };
  const kill = (): void => {
    void untilDone(["kill"], briefMs);
    killTimer = setTimeout(() => client.stop(0), hangMs);
  };
  const stop = (graceMs: number): void => {
    if (over) return;
    stopped = true;
    const seconds = Math.ceil(graceMs / 1000);
    void untilDone(["stop", "-t", String(seconds)], graceMs + briefMs);
    clearTimeout(killTimer);
    killTimer = setTimeout(kill, graceMs);
  };
  const ended = async (): Promise<ProgramEnd> => {
    const exit = await client.exited;
    over = true;
    clearTimeout(killTimer);
    // Its processes must end now, because an engine that is down is queried for minutes and the lease may end before that.
    if (stopped) await endLeftovers(folder.work);
    const end = endOf(exit, await inspect(docker, name), order.spec);
    const removed = await docker.run(["rm", "--force", "--volumes", name], { timeoutMs: removeMs });
    if (!didIt(removed) && !/no such container/i.test(complaintOf(removed))) {
      const because = complaintOf(removed);
      machine.log("error", "container not removed", { attempt: attemptName(order), because }, errorOf(removed));
    }
    // After this the GPUs must be free, even if no engine is left that could end the container.
    await endLeftovers(folder.work);
    return end;
  };
  return { ended: ended(), stop };
}

async function inspect(docker: Docker, name: string): Promise<Inspected> {
  for (let tries = 1; ; tries++) {
    const end = await docker.run(["inspect", "--type", "container", "--format", "{{json .State}}", name], { timeoutMs: briefMs });
    if (didIt(end)) return stateOf(end.stdout);
    if (/no such container/i.test(complaintOf(end))) return "none";
    if (tries >= inspectTries) return "unknown";
    await pause(betweenMs * 4);
  }
}

const stateOf = (text: string): Inspected => ContainerState.safeParse(jsonOf(text)).data ?? "unknown";
