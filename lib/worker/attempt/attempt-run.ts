import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import type { AttemptReport, Credentials, Order } from "../../../events/node-call.ts";
import { inWords, withCauses } from "../../model/errors/in-words.ts";
import type { ArchiveLimits } from "../../model/files/archive-entry.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { attemptName } from "../../model/job.ts";
import { isFirstMember } from "../../model/node.ts";
import type { ArtifactLimits } from "../artifacts/artifact-limits.ts";
import { type Collected, collectArtifacts } from "../artifacts/artifacts.ts";
import { uploadArtifacts } from "../artifacts/upload.ts";
import { fetchCode } from "../code/code.ts";
import type { NodeData } from "../data/datasets.ts";
import { AttemptLog } from "../logs/attempt-log.ts";
import type { LogSink } from "../logs/log-batches.ts";
import { leaveOutbox } from "../outbox/leave-outbox.ts";
import { limitRuntime, type ProgramEnd, type Running } from "../program/running.ts";
import { type ContainerMachine, containersOn } from "../run/containers.ts";
import { type AttemptFolder, folderOf, makeFolder, removeFolder } from "../run/folders.ts";
import type { BeginJob } from "../run/job-runtime.ts";
import { type ProcessMachine, processesOn } from "../run/processes.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Tries } from "../runtime/retry.ts";
import { AttemptCredentials } from "../runtime/s3.ts";
import type { AttemptEvent } from "./attempt.ts";

export type RunOrder = Extract<Order, { kind: "run" }>;

/** An attempt that runs on this machine. It reports its progress as events. */
export type LiveAttempt = {
  readonly credentialsExpireAtMs: number;
  renew(credentials: Credentials): void;
  /**
   * Uploads what the attempt left, and emits `uploaded` or `failed`. Must be called only after an end that left something, and again only
   * after it has emitted. `whole`: nothing is listed unless all is sent, because the upload can be repeated.
   */
  upload(how?: { readonly whole: boolean }): void;
  /** Leaves the attempt's end and what it left on S3, because calls get no response and the instance ends. It never throws. */
  leave(report: AttemptReport, signal: AbortSignal): Promise<void>;
  /** Ends what is in progress, which then emits its end as usual. */
  stop(graceMs: number): void;
  /** Waits until nothing is in progress, and removes the attempt's folder. */
  remove(): Promise<void>;
};

/** How long a program that is stopped may take to end itself. */
export const graceMs = 30_000;

export type StartAttempt = (order: RunOrder, gpus: readonly number[], emit: (event: AttemptEvent) => void) => LiveAttempt;

export type WorkerMachine = ProcessMachine &
  ContainerMachine & {
    readonly archiveLimits: ArchiveLimits;
    readonly artifactLimits: ArtifactLimits;
    readonly data: NodeData;
    readonly clock: Clock;
    readonly random: () => number;
    readonly s3: (credentials: AttemptCredentials) => S3Client;
    /** What leaves outboxes on S3: the client with the instance's own credentials, and the id of this run of the worker. */
    readonly outboxes: { readonly s3: S3Client; readonly process: string };
    readonly logSink: (of: RunOrder["log"], credentials: AttemptCredentials) => LogSink;
  };

const tries = 4;
/** Tries for some minutes if S3 cannot be reached, because the files may be the result of a run of hours. */
const uploadTries = ({ code }: FleetError): number => (code === "upload-refused" ? tries : 60);
/** How long the upload of the log's end may take: before the artifacts are uploaded, and when the attempt is removed from this machine. */
const logFinishMs = 5 * 60_000;
const logCloseMs = 10_000;

export const attemptsOn =
  (machine: WorkerMachine): StartAttempt =>
  (order, gpus, emit) =>
    new Run(machine, order, gpus).begin(emit);

class Run {
  readonly #machine: WorkerMachine;
  readonly #order: RunOrder;
  readonly #gpus: readonly number[];
  readonly #credentials: AttemptCredentials;
  readonly #s3: S3Client;
  readonly #logs: AttemptLog;
  readonly #ended = new AbortController();
  #uploadEnds = new AbortController();
  #isUploading = false;
  #running: Running | undefined;
  #endedWell = false;
  #graceMs = graceMs;
  #work: Promise<void> = Promise.resolve();

  constructor(machine: WorkerMachine, order: RunOrder, gpus: readonly number[]) {
    this.#machine = machine;
    this.#order = order;
    this.#gpus = gpus;
    this.#credentials = new AttemptCredentials(order.credentials);
    this.#s3 = machine.s3(this.#credentials);
    this.#logs = this.#openLog();
  }

  begin(emit: (event: AttemptEvent) => void): LiveAttempt {
    const credentials = this.#credentials;
    this.#work = this.#emitting(emit, async () => this.#endOf(await this.#execute(emit)));
    return {
      get credentialsExpireAtMs() {
        return credentials.expiresAtMs;
      },
      renew: (renewed) => credentials.renew(renewed),
      upload: ({ whole } = { whole: false }) => {
        this.#isUploading = true;
        this.#uploadEnds = new AbortController();
        this.#work = this.#emitting(emit, () => this.#upload(whole));
      },
      leave: (report, signal) => this.#leave(report, signal),
      stop: (graceMs) => this.#stop(graceMs),
      remove: () => this.#remove(),
    };
  }

  /** Emits the event that the work ends with. If the work throws, that is a `failed` event. */
  async #emitting(emit: (event: AttemptEvent) => void, work: () => Promise<AttemptEvent>): Promise<void> {
    try {
      emit(await work());
    } catch (error) {
      const isForTheTeam = error instanceof FleetError;
      this.#machine.log(isForTheTeam ? "warn" : "error", "attempt failed", { attempt: attemptName(this.#order) }, error);
      this.#logs.note(`[fleetwright: ${withCauses(error)}]`);
      // A FleetError's message is meant for the team. Any other error is a problem of this machine, so another machine may succeed.
      if (isForTheTeam) emit(this.#endOf({ kind: "failed", reason: inWords(error), again: error.retry }));
      else emit(this.#endOf({ kind: "failed", reason: `a problem on the node: ${withCauses(error)}`, again: true }));
    }
  }

  #endOf(end: RunEnd): AttemptEvent {
    // A program that was stopped may still end with exit code 0, but it has not ended well.
    this.#endedWell = end.kind === "exited" && end.exitCode === 0 && !this.#ended.signal.aborted;
    // There is always something left to upload, because the last part of the log is not uploaded yet.
    return { ...end, leaves: true };
  }

  /** Only the first member of a gang keeps its files. An attempt whose program never started has no files. */
  get #leavesFiles(): boolean {
    return this.#running !== undefined && isFirstMember(this.#order.gang?.rank);
  }

  async #execute(emit: (event: AttemptEvent) => void): Promise<RunEnd> {
    const { spec } = this.#order;
    const folder = folderOf(this.#machine.folder, this.#order);
    await makeFolder(folder, this.#machine.jobUser);
    const data = await this.#fetch(folder);
    this.#mustGoOn();

    const begin: BeginJob = (spec.image === undefined ? processesOn : containersOn)(this.#machine);
    const onLine = (line: string): void => this.#logs.note(line);
    const { output } = this.#logs;
    const begun = await begin({ order: this.#order, folder, data, gpus: this.#gpus, output, onLine, tries: this.#tries() });
    if ("kind" in begun) return eventOf(begun, this.#machine.clock.wallMs());
    const { startedAtMs } = begun;
    this.#running = limitRuntime(begun, { maxRuntimeMs: spec.maxRuntimeSeconds * 1000, graceMs });
    if (this.#ended.signal.aborted) this.#running.stop(this.#graceMs);
    emit({ kind: "started", atMs: startedAtMs });
    return eventOf(await this.#running.ended, startedAtMs);
  }

  /**
   * Fetches the job's code and datasets, before its runtime begins to count. Returns the folder of its datasets, or undefined if it
   * has none.
   */
  async #fetch({ root, archive, work }: AttemptFolder): Promise<string | undefined> {
    const { code } = this.#order.spec;
    const { jobUser: owner, archiveLimits: limits, data } = this.#machine;
    const { datasets = [] } = this.#order;
    const folder = join(root, "data");
    const onLine = (line: string): void => this.#logs.note(line);
    const order = { attempt: this.#order, datasets, folder, s3: this.#s3, tries: this.#tries(), onLine };
    const lists = await data.lists(order);
    if (code) await fetchCode(this.#s3, { code, archive, folder: work, owner, limits }, this.#tries());
    if (datasets.length === 0) return undefined;
    await data.fetch(order, lists);
    return folder;
  }

  /** Uploads what the attempt left: the rest of its log, then its files. */
  async #upload(whole: boolean): Promise<AttemptEvent> {
    // The log must be uploaded before the manifest, because the manifest starts the sealing of all that the attempt left.
    await Promise.race([this.#logs.finish(logFinishMs), aborted(this.#uploadEnds.signal)]);
    if (this.#leavesFiles) await this.#uploadFiles(whole);
    return { kind: "uploaded" };
  }

  /** Throws a FleetError if some files could not be uploaded and the upload, or a successful run, must be repeated therefore. */
  async #uploadFiles(whole: boolean): Promise<void> {
    const { upload, team, job, attempt } = this.#order;
    const order = { attempt: { team, job, attempt }, collected: await this.#collect(), ...upload, whole };
    const trouble = await uploadArtifacts(this.#s3, order, { ...this.#tries(), most: uploadTries, signal: this.#uploadEnds.signal });
    if (trouble && (whole || this.#endedWell)) throw trouble;
  }

  #collect(): Promise<Collected> {
    const { work } = folderOf(this.#machine.folder, this.#order);
    return collectArtifacts(work, this.#order.spec.artifacts, this.#machine.artifactLimits);
  }

  async #leave(report: AttemptReport, signal: AbortSignal): Promise<void> {
    const { team, job, attempt, gang, outbox: order } = this.#order;
    const { clock, random, log, outboxes, folder } = this.#machine;
    const name = attemptName(this.#order);
    try {
      if (order === undefined) throw new FleetError("outbox", "the order named no outbox");
      const collected = "uploads" in report && report.uploads && this.#leavesFiles ? await this.#collect() : undefined;
      const segments = await this.#logs.end();
      const of = { attempt: { team, job, attempt }, process: outboxes.process, report, rank: gang?.rank ?? 0 };
      const content = { ...of, segments, collected };
      await leaveOutbox(outboxes.s3, { content, order, folder: folderOf(folder, this.#order).root }, { clock, random, signal });
      log("info", "outbox left", { attempt: name });
    } catch (error) {
      log("error", "outbox not left", { attempt: name }, error);
    }
  }

  #tries(): Tries {
    return { clock: this.#machine.clock, random: this.#machine.random, signal: this.#ended.signal, most: tries };
  }

  #mustGoOn(): void {
    if (this.#ended.signal.aborted) throw new FleetError("stopped", "the attempt was stopped", { retry: true });
  }

  #stop(graceMs: number): void {
    if (this.#isUploading) {
      this.#uploadEnds.abort();
      return;
    }
    this.#graceMs = graceMs;
    this.#ended.abort();
    this.#running?.stop(graceMs);
  }

  #openLog(): AttemptLog {
    const { folder, clock, random, log, logSink } = this.#machine;
    const { team, job, attempt, upload } = this.#order;
    return new AttemptLog({
      attempt: { team, job, attempt },
      rank: this.#order.gang?.rank ?? 0,
      folder: join(folderOf(folder, this.#order).root, "log"),
      s3: this.#s3,
      upload,
      sink: logSink(this.#order.log, this.#credentials),
      liveLimits: this.#order.log.limits,
      clock,
      random,
      log,
    });
  }

  async #remove(): Promise<void> {
    await this.#work;
    await this.#logs.close(logCloseMs);
    this.#s3.destroy();
    try {
      await removeFolder(folderOf(this.#machine.folder, this.#order));
    } finally {
      await this.#machine.data.letGo(this.#order);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** How the program's run ended. */
type RunEnd =
  | { readonly kind: "exited"; readonly startedAtMs: number; readonly exitCode: number; readonly reason?: string | undefined }
  | { readonly kind: "failed"; readonly reason: string; readonly again: boolean };

const eventOf = (end: ProgramEnd, startedAtMs: number): RunEnd =>
  end.kind === "failed" ? end : { kind: "exited", startedAtMs, exitCode: end.code, reason: end.reason };
