import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Credentials, Order } from "../../events/node-call.ts";
import type { ArchiveLimits } from "../model/archive-entry.ts";
import { Fault } from "../model/fault.ts";
import { type ArtifactLimits, collectArtifacts } from "./artifacts.ts";
import { type AttemptEvent, keyOf } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import { fetchCode } from "./code.ts";
import { type ContainerMachine, containersOn } from "./containers.ts";
import type { NodeData } from "./datasets.ts";
import { type AttemptFolder, folderOf, makeFolder, removeFolder } from "./folders.ts";
import type { BeginJob } from "./job-runtime.ts";
import { longestGraceMs } from "./lease.ts";
import { describe } from "./log.ts";
import { type LogSink, LogStream } from "./log-stream.ts";
import { type ProcessMachine, processesOn } from "./processes.ts";
import type { Tries } from "./retry.ts";
import { type End, limitRuntime, type Running } from "./running.ts";
import { AttemptCredentials } from "./s3.ts";
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

export type Machine = ProcessMachine &
  ContainerMachine & {
    readonly archiveLimits: ArchiveLimits;
    readonly artifactLimits: ArtifactLimits;
    readonly data: NodeData;
    readonly clock: Clock;
    readonly random: () => number;
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
  #running: Running | undefined;
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
    const folder = folderOf(this.#machine.folder, this.#order);
    await makeFolder(folder, this.#machine.jobUser);
    const data = await this.#fetch(folder);
    this.#mustGoOn();

    const begin: BeginJob = (spec.image === undefined ? processesOn : containersOn)(this.#machine);
    const onLine = (line: string): void => this.#logs.push(line);
    const begun = await begin({ order: this.#order, folder, data, gpus: this.#gpus, onLine, tries: this.#tries() });
    if ("kind" in begun) return eventOf(begun, this.#machine.clock.wallMs());
    const { startedAtMs } = begun;
    this.#running = limitRuntime(begun, { maxRuntimeMs: spec.maxRuntimeSeconds * 1000, graceMs: longestGraceMs });
    if (this.#ended.signal.aborted) this.#running.stop(this.#graceMs);
    emit({ kind: "started", atMs: startedAtMs });
    return eventOf(await this.#running.ended, startedAtMs);
  }

  /** Brings what the job needs onto this machine, before its time begins to count. Answers where its datasets lie. */
  async #fetch({ root, archive, work }: AttemptFolder): Promise<string | undefined> {
    const { code } = this.#order.spec;
    const { jobUser: owner, archiveLimits: limits, data } = this.#machine;
    const { datasets = [] } = this.#order;
    const folder = join(root, "data");
    const onLine = (line: string): void => this.#logs.push(line);
    const order = { attempt: this.#order, datasets, folder, s3: this.#s3, tries: this.#tries(), onLine };
    const lists = await data.lists(order);
    if (code) await fetchCode(this.#s3, { code, archive, folder: work, owner, limits }, this.#tries());
    if (datasets.length === 0) return undefined;
    await data.fetch(order, lists);
    return folder;
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
    this.#running?.stop(graceMs);
  }

  async #closeLogs(): Promise<void> {
    const { lost } = await this.#logs.close(logCloseMs);
    if (lost > 0) this.#machine.log("warn", "lines of a job's log were lost", { attempt: keyOf(this.#order), lines: lost });
  }

  async #remove(): Promise<void> {
    await this.#work;
    await this.#closeLogs();
    this.#s3.destroy();
    try {
      await removeFolder(folderOf(this.#machine.folder, this.#order));
    } finally {
      await this.#machine.data.letGo(this.#order);
    }
  }
}

const eventOf = (end: End, startedAtMs: number): AttemptEvent =>
  end.kind === "failed" ? end : { kind: "exited", startedAtMs, exitCode: end.code, reason: end.reason };
