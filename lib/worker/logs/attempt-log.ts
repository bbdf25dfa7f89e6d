import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { LogPiece } from "../../../events/artifacts/log-line.ts";
import { segmentKey, segmentMetadata } from "../../../events/artifacts/log-segment.ts";
import type { ByteLimits } from "../../model/byte-allowance.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import type { Output } from "../program/program.ts";
import type { Clock } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { LiveLines } from "./live-lines.ts";
import type { LogSink } from "./log-batches.ts";
import { LogRecord } from "./log-record.ts";
import { LogStream, logLimits } from "./log-stream.ts";
import { LogUploads, type PutSegment, type WaitingSegment } from "./log-uploads.ts";

export type AttemptLogOptions = {
  readonly attempt: AttemptRef;
  readonly rank: number;
  /** The folder that holds segments until they are uploaded. */
  readonly folder: string;
  readonly s3: Pick<S3Client, "send">;
  readonly upload: { readonly bucket: string; readonly kmsKey: string };
  readonly sink: LogSink;
  /** What the live stream may contain. */
  readonly liveLimits?: ByteLimits | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: WorkerLog;
  /** Where an earlier process of the worker left the log; undefined for a new one. */
  readonly from?: LogPosition | undefined;
};

/** How much of a log is written, and what of it is not uploaded yet. */
export type LogPosition = {
  /** The size of the log. */
  readonly bytes: number;
  /** How many files were begun for it. */
  readonly files: number;
  /** The number of its next segment. */
  readonly next: number;
  readonly waiting: readonly WaitingSegment[];
};

type Source = Parameters<Output>[0];

/** Keeps the output of one member of an attempt: every byte in the record, and as much as the limits allow in the live stream. */
export class AttemptLog {
  readonly #options: AttemptLogOptions;
  readonly #stream: LogStream;
  readonly #record: LogRecord;
  readonly #uploads: LogUploads;
  readonly #lines: Readonly<Record<Source, LiveLines>>;
  /** The source whose unfinished line is the newest piece in the stream; undefined if the newest piece ends its line. */
  #unfinished: Source | undefined;

  constructor(options: AttemptLogOptions) {
    this.#options = options;
    const { clock, random, log, folder, sink } = options;
    const limits = options.liveLimits && { ...logLimits, ...options.liveLimits };
    this.#stream = new LogStream(sink, clock, { whole: wholeCommand(options), limits });
    const { from } = options;
    this.#uploads = new LogUploads({ put: putInto(options), clock, random, log, attempt: attemptName(options.attempt), from });
    this.#record = new LogRecord({ folder, uploads: this.#uploads, clock, from });
    const linesOf = (source: Source): LiveLines => new LiveLines(clock, (piece) => this.#push(source, piece));
    this.#lines = { stdout: linesOf("stdout"), stderr: linesOf("stderr") };
  }

  /** Takes what the program writes. */
  readonly output: Output = (source, bytes) => {
    this.#lines[source].push(bytes);
    return this.#record.write(bytes);
  };

  /** Writes a line of Fleetwright's own. */
  note(line: string): void {
    this.#record.note(line);
    this.#push(undefined, { text: line });
  }

  /** Closes the record after the program has ended. Returns what is written, and which segments are not uploaded yet. It never throws. */
  async end(): Promise<LogPosition> {
    for (const lines of Object.values(this.#lines)) lines.end();
    await this.#record.close();
    const { next, waiting } = this.#uploads;
    return { ...this.#record.position, next, waiting };
  }

  /** Uploads the record after the program has ended, for at most `withinMs`. It never throws, and may be called again. */
  async finish(withinMs: number): Promise<void> {
    for (const lines of Object.values(this.#lines)) lines.end();
    await this.#record.finish(withinMs);
  }

  /** Finishes the record and the live stream. It reports what was lost, in the stream and in the worker's log. */
  async close(withinMs: number): Promise<void> {
    await this.finish(withinMs);
    const { attempt, log } = this.#options;
    const bytes = this.#uploads.missingBytes;
    if (bytes > 0) {
      this.#push(undefined, { text: `[fleetwright: ${bytes} bytes of the kept log were lost because they could not be uploaded]` });
      log("warn", "log bytes lost", { attempt: attemptName(attempt), bytes, because: "they could not be uploaded" });
    }
    const { lost } = await this.#stream.close(withinMs);
    if (lost > 0) log("warn", "live log lines lost", { attempt: attemptName(attempt), lines: lost });
  }

  /** Sends a piece. It may continue an unfinished line only if that line is the newest in the stream. Otherwise it begins a new line. */
  #push(source: Source | undefined, { text, continues, rewrites, unfinished }: LogPiece): void {
    const follows = source !== undefined && this.#unfinished === source;
    this.#unfinished = unfinished ? source : undefined;
    // This only ends a line that is no longer the newest, so there is nothing to send.
    if (text === "" && continues && !follows) return;
    this.#stream.push({
      text,
      ...(continues && follows && { continues }),
      ...(rewrites && follows && { rewrites }),
      ...(unfinished && { unfinished }),
    });
  }
}

const wholeCommand = ({ attempt: { team, job, attempt }, rank }: AttemptLogOptions): string =>
  `fleet logs ${job} --whole --attempt ${attempt}${rank === 0 ? "" : ` --rank ${rank}`} --team ${team}`;

const putInto =
  ({ s3, upload, attempt, rank }: AttemptLogOptions): PutSegment =>
  async ({ number, gzip, facts }, abortSignal) => {
    const encryption = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: upload.kmsKey } as const;
    const object = { Bucket: upload.bucket, Key: segmentKey({ ...attempt, rank, number }), ContentType: "application/gzip" };
    try {
      await s3.send(new PutObjectCommand({ ...object, ...encryption, Body: gzip, Metadata: segmentMetadata(facts) }), { abortSignal });
    } catch (cause) {
      throw new FleetError("upload", `a part of the log could not be uploaded: ${withCauses(cause)}`, { retry: true, cause });
    }
  };
