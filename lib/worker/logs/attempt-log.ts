import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { LogPiece } from "../../../events/artifacts/log-line.ts";
import { segmentKey, segmentMetadata } from "../../../events/artifacts/log-segment.ts";
import { withCauses } from "../../model/errors/in-words.ts";
import { Fault } from "../../model/fault.ts";
import { type AttemptRef, attemptName } from "../../model/job.ts";
import type { Output } from "../program/program.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { LiveLines } from "./live-lines.ts";
import type { LogSink } from "./log-batches.ts";
import { LogRecord } from "./log-record.ts";
import { LogStream } from "./log-stream.ts";
import { LogUploads, type PutSegment } from "./log-uploads.ts";

export type AttemptLogOptions = {
  readonly attempt: AttemptRef;
  readonly rank: number;
  /** Where segments lie until they are uploaded. */
  readonly folder: string;
  readonly s3: Pick<S3Client, "send">;
  readonly upload: { readonly bucket: string; readonly kmsKey: string };
  readonly sink: LogSink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

type Source = Parameters<Output>[0];

/** What a member of an attempt writes: every byte into the record, and what the limits allow into the live stream. */
export class AttemptLog {
  readonly #options: AttemptLogOptions;
  readonly #stream: LogStream;
  readonly #record: LogRecord;
  readonly #uploads: LogUploads;
  readonly #lines: Readonly<Record<Source, LiveLines>>;
  /** Whose unfinished line is the newest piece in the stream. */
  #unfinished: Source | undefined;

  constructor(options: AttemptLogOptions) {
    this.#options = options;
    const { clock, random, log, folder, sink } = options;
    this.#stream = new LogStream(sink, clock, { whole: wholeCommand(options) });
    this.#uploads = new LogUploads({ put: putInto(options), clock, random, log, attempt: attemptName(options.attempt) });
    this.#record = new LogRecord({ folder, uploads: this.#uploads, clock });
    const linesOf = (source: Source): LiveLines => new LiveLines(clock, (piece) => this.#push(source, piece));
    this.#lines = { stdout: linesOf("stdout"), stderr: linesOf("stderr") };
  }

  /** What the program writes. */
  readonly output: Output = (source, bytes) => {
    this.#lines[source].push(bytes);
    return this.#record.write(bytes);
  };

  /** A line of Fleetwright's own. */
  note(line: string): void {
    this.#record.note(line);
    this.#push(undefined, { text: line });
  }

  /** The program has ended. Uploads the record, for at most `withinMs`; it never throws. May be called again. */
  async finish(withinMs: number): Promise<void> {
    for (const lines of Object.values(this.#lines)) lines.end();
    await this.#record.finish(withinMs);
  }

  /** Finishes both. What could not be kept is said in the stream and in the worker's log. */
  async close(withinMs: number): Promise<void> {
    await this.finish(withinMs);
    const { attempt, log } = this.#options;
    const bytes = this.#uploads.missingBytes;
    if (bytes > 0) {
      this.#push(undefined, { text: `[fleetwright: ${bytes} bytes of the kept log were lost: they could not be uploaded]` });
      log("warn", "a part of a job's log was lost: it could not be uploaded", { attempt: attemptName(attempt), bytes });
    }
    const { lost } = await this.#stream.close(withinMs);
    if (lost > 0) log("warn", "lines of a job's live log were lost", { attempt: attemptName(attempt), lines: lost });
  }

  /** A piece goes on with a line only right behind that line: what came in between stands on a line of its own. */
  #push(source: Source | undefined, { text, continues, rewrites, unfinished }: LogPiece): void {
    const follows = source !== undefined && this.#unfinished === source;
    this.#unfinished = unfinished ? source : undefined;
    // The end of a line that is no longer the newest.
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
      throw new Fault("upload", `a part of the log could not be uploaded: ${withCauses(cause)}`, { retry: true, cause });
    }
  };
