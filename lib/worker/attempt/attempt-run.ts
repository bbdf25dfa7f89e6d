import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import type { AttemptReport, Credentials, Order } from "../../../events/node-call.ts";
import { inWords, withCauses } from "../../model/errors/in-words.ts";
import type { ArchiveLimits } from "../../model/files/archive-entry.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import { isFirstMember } from "../../model/node.ts";
import type { ArtifactLimits } from "../artifacts/artifact-limits.ts";
import { type Collected, collectArtifacts } from "../artifacts/artifacts.ts";
import { uploadArtifacts } from "../artifacts/upload.ts";
import { fetchCode } from "../code/code.ts";
import type { NodeData } from "../data/datasets.ts";
import { AttemptLog, type LogPosition } from "../logs/attempt-log.ts";
import type { LogSink } from "../logs/log-batches.ts";
import { type KeptEnd, keepAttempt } from "../outbox/kept-end.ts";
import { type LeaveHow, type LeavingMachine, leaveAttempt } from "../outbox/leave-outbox.ts";
import { limitRuntime, type ProgramEnd, type Running } from "../program/running.ts";
import { type ContainerMachine, containersOn } from "../run/containers.ts";
import { type AttemptFolder, folderOf, makeFolder, removeFolder } from "../run/folders.ts";
import type { BeginJob } from "../run/job-runtime.ts";
import { type ProcessMachine, processesOn } from "../run/processes.ts";
import { aborted, type Clock } from "../runtime/clock.ts";
import type { Tries } from "../runtime/retry.ts";
import { AttemptCredentials } from "../runtime/s3.ts";
import type { AttemptEvent, EndedAttempt } from "./attempt.ts";

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
  /**
   * Leaves the attempt's end and what it left on S3, because calls get no response and the instance ends. Returns whether S3 then holds all of
   * it. It never throws. `whole`: nothing is left if something does not fit.
   */
  leave(report: AttemptReport, how: LeaveHow): Promise<boolean>;
  /** Ends what is in progress, which then emits its end as usual. */
  stop(graceMs: number): void;
  /** Waits until nothing is in progress, and removes the attempt's folder. */
  remove(): Promise<void>;
};

/** How long a program that is stopped may take to end itself. */
export const graceMs = 30_000;

export type StartAttempt = (order: RunOrder, gpus: readonly number[], emit: (event: AttemptEvent) => void) => LiveAttempt;

/** An attempt that an earlier process of this worker ran to its end. */
export type KeptAttempt = {
  readonly ref: AttemptRef;
  readonly end: EndedAttempt;
  readonly open: (emit: (event: AttemptEvent) => void) => LiveAttempt;
};

export type WorkerMachine = ProcessMachine &
  ContainerMachine &
  LeavingMachine & {
    readonly archiveLimits: ArchiveLimits;
    readonly artifactLimits: ArtifactLimits;
    readonly data: NodeData;
    readonly clock: Clock;
    readonly random: () => number;
    readonly s3: (credentials: AttemptCredentials) => S3Client;
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
    new Run(machine, order, { gpus }).begin(emit);

/** Returns an attempt whose program an earlier process of the worker ran to its end, and what it left is still to be delivered. */
export function keptAttempt(machine: WorkerMachine, kept: KeptEnd): KeptAttempt {
  const { team, job, attempt } = kept.order;
  const open: KeptAttempt["open"] = (emit) => new Run(machine, kept.order, { gpus: [], kept }).live(emit);
  return { ref: { team, job, attempt }, end: { ...kept.end, uploads: true }, open };
}

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
  #ran: boolean;
  #endedWell: boolean;
  #graceMs = graceMs;
  #work: Promise<void> = Promise.resolve();

  /** `kept`: how an earlier process of the worker left the attempt. */
  constructor(machine: WorkerMachine, order: RunOrder, { gpus, kept }: { gpus: readonly number[]; kept?: KeptEnd | undefined }) {
    this.#ran = kept?.ran ?? false;
    this.#endedWell = kept?.end.phase === "exited" && kept.end.exitCode === 0;
    this.#machine = machine;
    this.#order = order;
    this.#gpus = gpus;
    this.#credentials = new AttemptCredentials(order.credentials);
    this.#s3 = machine.s3(this.#credentials);
    this.#logs = this.#openLog(kept?.log);
  }

  begin(emit: (event: AttemptEvent) => void): LiveAttempt {
    this.#work = this.#emitting(emit, async () => this.#endOf(await this.#execute(emit)));
    return this.live(emit);
  }

  /** Returns what can be done with the attempt after its program has begun, or has been run by an earlier process of the worker. */
  live(emit: (event: AttemptEvent) => void): LiveAttempt {
    const credentials = this.#credentials;
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
      leave: (report, how) => this.#leave(report, how),
      stop: (graceMs) => this.#stop(graceMs),
      remove: () => this.#remove(),
    };
  }

  /** Emits the event that the work ends with. If the work throws, that is a `failed` event. */
  async #emitting(emit: (event: AttemptEvent) => void, work: () => Promise<AttemptEvent>): Promise<void> {
    let end: AttemptEvent;
    try {
      end = await work();
    } catch (error) {
      const isForTheTeam = error instanceof FleetError;
      this.#machine.log(isForTheTeam ? "warn" : "error", "attempt failed", { attempt: attemptName(this.#order) }, error);
      this.#logs.note(`[fleetwright: ${withCauses(error)}]`);
      // A FleetError's message is meant for the team. Any other error is a problem of this machine, so another machine may succeed.
      if (isForTheTeam) end = this.#endOf({ kind: "failed", reason: inWords(error), again: error.retry });
      else end = this.#endOf({ kind: "failed", reason: `a problem on the node: ${withCauses(error)}`, again: true });
    }
    // If it was stopped, the server knows already what becomes of it.
    if (!this.#isUploading && !this.#ended.signal.aborted)
      await keepAttempt(this.#machine, { order: this.#order, end, ran: this.#ran, logs: this.#logs });
    emit(end);
  }

  #endOf(end: RunEnd): AttemptEvent {
    // A program that was stopped may still end with exit code 0, but it has not ended well.
    this.#endedWell = end.kind === "exited" && end.exitCode === 0 && !this.#ended.signal.aborted;
    // There is always something left to upload, because the last part of the log is not uploaded yet.
    return { ...end, leaves: true };
  }

  /** Only the first member of a gang keeps its files. An attempt whose program never started has no files. */
  get #leavesFiles(): boolean {
    return this.#ran && isFirstMember(this.#order.gang?.rank);
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
    this.#ran = true;
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

  #leave(report: AttemptReport, how: LeaveHow): Promise<boolean> {
    const hasFiles = "uploads" in report && report.uploads === true && this.#leavesFiles;
    const collect = hasFiles ? () => this.#collect() : undefined;
    return leaveAttempt(this.#machine, { order: this.#order, report, collect, logs: this.#logs }, how);
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

  #openLog(from: LogPosition | undefined): AttemptLog {
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
      from,
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

/** How the program's run ended. */
type RunEnd =
  | { readonly kind: "exited"; readonly startedAtMs: number; readonly exitCode: number; readonly reason?: string | undefined }
  | { readonly kind: "failed"; readonly reason: string; readonly again: boolean };

const eventOf = (end: ProgramEnd, startedAtMs: number): RunEnd =>
  end.kind === "failed" ? end : { kind: "exited", startedAtMs, exitCode: end.code, reason: end.reason };
