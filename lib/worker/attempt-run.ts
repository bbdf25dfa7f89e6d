import type { S3Client } from "@aws-sdk/client-s3";
import type { Credentials, Order } from "../../events/node-call.ts";
import { Fault } from "../model/fault.ts";
import type { ArchiveLimits } from "./archive.ts";
import { type ArtifactLimits, collectArtifacts } from "./artifacts.ts";
import { type AttemptEvent, keyOf } from "./attempt.ts";
import type { Cgroup, Cgroups } from "./cgroup.ts";
import type { Clock } from "./clock.ts";
import { fetchCode } from "./code.ts";
import { findExecutable } from "./executable.ts";
import { folderOf, makeFolder, noteProgram, removeFolder } from "./folders.ts";
import { jobEnvironment } from "./job-environment.ts";
import { longestGraceMs } from "./lease.ts";
import { describe, type Log } from "./log.ts";
import { type LogSink, LogStream } from "./log-stream.ts";
import { type Exit, type Program, startProgram, type User } from "./program.ts";
import type { Tries } from "./retry.ts";
import { AttemptCredentials } from "./s3.ts";
import { endStrays } from "./strays.ts";
import { uploadArtifacts } from "./upload.ts";

export type RunOrder = Extract<Order, { kind: "run" }>;

/** One attempt at work on this machine. What comes of it is told as events. */
export type LiveAttempt = {
  readonly credentialsExpireAtMs: number;
  renew(credentials: Credentials): void;
  /** Once, after an exit with code 0: ends in `uploaded` or `failed`. */
  upload(): void;
  /** Ends whatever is under way, which then tells of its end as usual. */
  stop(graceMs: number): void;
  /** Waits until nothing of it is under way and removes its folder. */
  remove(): Promise<void>;
};

export type StartAttempt = (order: RunOrder, gpus: readonly number[], emit: (event: AttemptEvent) => void) => LiveAttempt;

export type Machine = {
  readonly folder: string;
  readonly path: string;
  readonly jobUser?: User | undefined;
  readonly cgroups?: Cgroups | undefined;
  readonly archiveLimits: ArchiveLimits;
  readonly artifactLimits: ArtifactLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly s3: (credentials: AttemptCredentials) => S3Client;
  readonly logSink: (of: RunOrder["log"], credentials: AttemptCredentials) => LogSink;
};

const tries = 4;
const logCloseMs = 10_000;

export const attemptsOn =
  (machine: Machine): StartAttempt =>
  (order, gpus, emit) =>
    new Run(machine, order, gpus).begin(emit);

class Run {
  readonly #machine: Machine;
  readonly #order: RunOrder;
  readonly #gpus: readonly number[];
  readonly #credentials: AttemptCredentials;
  readonly #s3: S3Client;
  readonly #logs: LogStream;
  readonly #ended = new AbortController();
  #program: Program | undefined;
  #graceMs = longestGraceMs;
  #work: Promise<void> = Promise.resolve();

  constructor(machine: Machine, order: RunOrder, gpus: readonly number[]) {
    this.#machine = machine;
    this.#order = order;
    this.#gpus = gpus;
    this.#credentials = new AttemptCredentials(order.credentials);
    this.#s3 = machine.s3(this.#credentials);
    this.#logs = new LogStream(machine.logSink(order.log, this.#credentials), machine.clock);
  }

  begin(emit: (event: AttemptEvent) => void): LiveAttempt {
    const credentials = this.#credentials;
    this.#work = this.#telling(emit, () => this.#execute(emit));
    return {
      get credentialsExpireAtMs() {
        return credentials.expiresAtMs;
      },
      renew: (renewed) => credentials.renew(renewed),
      upload: () => {
        this.#work = this.#telling(emit, () => this.#upload());
      },
      stop: (graceMs) => this.#stop(graceMs),
      remove: () => this.#remove(),
    };
  }

  /** Tells the event that the work ends with; a failure is one too. */
  async #telling(emit: (event: AttemptEvent) => void, work: () => Promise<AttemptEvent>): Promise<void> {
    try {
      emit(await work());
    } catch (error) {
      this.#logs.push(`[fleetwright: ${describe(error)}]`);
      // A Fault's message is meant for the team; anything else is this machine's trouble, and may pass on another.
      if (error instanceof Fault) emit({ kind: "failed", reason: error.message, again: error.retry });
      else emit({ kind: "failed", reason: `trouble on the node: ${describe(error)}`, again: true });
    }
  }

  async #execute(emit: (event: AttemptEvent) => void): Promise<AttemptEvent> {
    const { spec } = this.#order;
    const { folder: root, jobUser, archiveLimits, clock } = this.#machine;
    if (spec.image !== undefined) throw new Fault("image", "this pool runs plain processes, not container images: leave out `image`");
    const folder = folderOf(root, this.#order);
    await makeFolder(folder, jobUser);
    if (spec.code) {
      const { archive, work } = folder;
      const order = { code: spec.code, archive, folder: work, owner: jobUser, limits: archiveLimits };
      await fetchCode(this.#s3, order, this.#tries());
    }
    this.#mustGoOn();

    const env = jobEnvironment(this.#order, spec, { work: folder.work, tmp: folder.tmp, gpus: this.#gpus, path: this.#machine.path });
    const startedAtMs = clock.wallMs();
    const found = await findExecutable(spec.command[0] ?? "", { folder: folder.work, path: env["PATH"] ?? "" });
    if (found.kind === "missing") return { kind: "exited", startedAtMs, exitCode: found.exitCode, reason: found.reason };
    let program: Program;
    try {
      program = await startProgram({
        file: found.file,
        command: spec.command,
        folder: folder.work,
        env,
        user: jobUser,
        maxRuntimeMs: spec.maxRuntimeSeconds * 1000,
        graceMs: longestGraceMs,
        onLine: (line) => this.#logs.push(line),
      });
    } catch (error) {
      if (isMachinesTrouble(error)) throw error;
      return { kind: "exited", startedAtMs, exitCode: 126, reason: `the command could not be started: ${describe(error)}` };
    }
    this.#program = program;
    if (this.#ended.signal.aborted) program.stop(this.#graceMs);
    const cgroup = await this.#limit(program);
    await noteProgram(folder, program.pid);
    emit({ kind: "started", atMs: startedAtMs });
    const exit = await this.#reasoned(await program.exited, cgroup);
    await endStrays(folder.work);
    return { kind: "exited", startedAtMs, exitCode: exit.code, reason: exit.reason };
  }

  async #limit(program: Program): Promise<Cgroup | undefined> {
    const { spec } = this.#order;
    try {
      return await this.#machine.cgroups?.hold(keyOf(this.#order).replaceAll("/", "."), program.pid, spec);
    } catch (error) {
      // It may be over already; and a job without a limit is better than none.
      this.#machine.log("warn", "an attempt runs without memory and CPU limits", { attempt: keyOf(this.#order), because: describe(error) });
      return undefined;
    }
  }

  async #reasoned(exit: Exit, cgroup: Cgroup | undefined): Promise<Exit> {
    if (cgroup === undefined) return exit;
    try {
      const { ranOutOfMemory } = await cgroup.end();
      if (!ranOutOfMemory || exit.code === 0) return exit;
      return { code: exit.code, reason: `ran out of its ${this.#order.spec.memoryGiB} GiB of memory; ${exit.reason ?? ""}` };
    } catch (error) {
      this.#machine.log("warn", "a cgroup could not be ended", { attempt: keyOf(this.#order), because: describe(error) });
      return exit;
    }
  }

  async #upload(): Promise<AttemptEvent> {
    const { spec, upload } = this.#order;
    const folder = folderOf(this.#machine.folder, this.#order);
    const files = await collectArtifacts(folder.work, spec.artifacts, this.#machine.artifactLimits);
    this.#mustGoOn();
    const { team, job, attempt } = this.#order;
    await uploadArtifacts(this.#s3, { attempt: { team, job, attempt }, files, ...upload }, this.#tries());
    return { kind: "uploaded" };
  }

  #tries(): Tries {
    return { clock: this.#machine.clock, random: this.#machine.random, signal: this.#ended.signal, most: tries };
  }

  #mustGoOn(): void {
    if (this.#ended.signal.aborted) throw new Fault("stopped", "the attempt was stopped", { retry: true });
  }

  #stop(graceMs: number): void {
    this.#graceMs = graceMs;
    this.#ended.abort();
    this.#program?.stop(graceMs);
  }

  async #closeLogs(): Promise<void> {
    const { lost } = await this.#logs.close(logCloseMs);
    if (lost > 0) this.#machine.log("warn", "lines of a job's log were lost", { attempt: keyOf(this.#order), lines: lost });
  }

  async #remove(): Promise<void> {
    await this.#work;
    await this.#closeLogs();
    this.#s3.destroy();
    await removeFolder(folderOf(this.#machine.folder, this.#order));
  }
}

/** Too many processes or files, no memory: another node, or this one later, may well start it. */
function isMachinesTrouble(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EAGAIN" || code === "ENOMEM" || code === "EMFILE" || code === "ENFILE";
}
