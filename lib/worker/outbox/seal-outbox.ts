import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Manifest } from "../../../events/artifacts/upload.ts";
import type { AttemptReport, Order } from "../../../events/node-call.ts";
import { maxOutboxBytes, type OutboxPart, outboxContext, outboxOfKey } from "../../../events/outbox/outbox.ts";
import { type OutboxPartBody, partBytes } from "../../../events/outbox/parts.ts";
import { saltBytes, sealed, sealHeader } from "../../../events/outbox/sealed.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef } from "../../model/job.ts";
import type { ArtifactFile } from "../artifacts/artifact-file.ts";
import type { Collected } from "../artifacts/artifacts.ts";
import { openSource, Unreadable } from "../artifacts/file-source.ts";
import { manifestOf, type SentFile } from "../artifacts/upload.ts";
import type { WaitingSegment } from "../logs/log-uploads.ts";

export type OutboxOrder = NonNullable<Extract<Order, { kind: "run" }>["outbox"]>;

export type OutboxContent = {
  readonly attempt: AttemptRef;
  /** The run of the worker's process that has the attempt. */
  readonly process: string;
  /** How the attempt ended. */
  readonly report: AttemptReport;
  readonly rank: number;
  /** The segments of its log that are not uploaded, oldest first. */
  readonly segments: readonly WaitingSegment[];
  /** The files that it keeps; undefined if it keeps none, or if they are uploaded. */
  readonly collected: Collected | undefined;
};

/** The most bytes of the log's end that are kept if files wait, too. */
const logTailBytes = 64 * 1024 ** 2;

export type SealOptions = {
  readonly order: OutboxOrder;
  /** The path of the sealed outbox. */
  readonly file: string;
  readonly signal: AbortSignal;
  /** The most bytes of files and logs. */
  readonly room?: number;
};

/**
 * Writes an attempt's sealed outbox into a file. What exceeds the limit is left out: the oldest parts of the log, and the largest files. The
 * manifest then says that it is incomplete. Returns whether nothing was left out for lack of room.
 */
export async function sealOutbox(
  content: OutboxContent,
  { order, file, signal, room = maxOutboxBytes }: SealOptions,
): Promise<{ readonly isWhole: boolean }> {
  const of = outboxOfKey(order.key);
  if (of === undefined) throw new FleetError("outbox", "the order names no outbox");
  const salt = randomBytes(saltBytes);
  const key = { dataKey: Buffer.from(order.dataKey, "base64"), salt, context: outboxContext(of) };
  const header = sealHeader({ wrappedKey: Buffer.from(order.wrappedKey, "base64"), salt });
  const fit = { isWhole: true };
  const bytes = async function* (): AsyncGenerator<Buffer> {
    yield header;
    yield* sealed(key, plain(content, { room, fit }));
  };
  await pipeline(Readable.from(bytes(), { objectMode: false }), createWriteStream(file, { mode: 0o600 }), { signal });
  return fit;
}

/** `fit` is changed if something is left out. */
type Space = { readonly room: number; readonly fit: { isWhole: boolean } };

async function* plain(content: OutboxContent, { room, fit }: Space): AsyncGenerator<Buffer> {
  const { process, report, rank, collected } = content;
  yield* partBytes(whole({ kind: "end", version: 1, process, report }));
  let left = room;
  const segments = newest(content.segments, collected ? Math.min(logTailBytes, room) : room);
  fit.isWhole = segments.length === content.segments.length;
  for (const { number, segment, last } of segments) {
    const { sha256, bytes, offset, fileBytes } = segment;
    // It may just have been uploaded, and its file removed.
    const gzip = await readFile(segment.file).catch(() => undefined);
    if (gzip === undefined) continue;
    left -= fileBytes;
    yield* partBytes(whole({ kind: "segment", rank, number, facts: { sha256, bytes, offset, last } }, gzip));
  }
  if (collected) yield* plainFiles({ attempt: content.attempt, collected }, { room: left, fit });
}

/** Writes small files first, so that most files are kept if not all fit. */
async function* plainFiles(
  of: { readonly attempt: AttemptRef; readonly collected: Collected },
  { room, fit }: Space,
): AsyncGenerator<Buffer> {
  const { collected } = of;
  const kept = new Map<ArtifactFile, SentFile>();
  let left = room;
  let incomplete = false;
  for (const file of collected.files.toSorted((a, b) => a.bytes - b.bytes)) {
    try {
      const source = await openSource(file);
      try {
        if (source.bytes > left) {
          incomplete = true;
          fit.isWhole = false;
          collected.leftOut.add(file.name, "it did not fit into the outbox of its node");
          continue;
        }
        left -= source.bytes;
        const meter = new Meter(source.stream);
        yield* partBytes({ head: { kind: "file", path: file.path }, body: meter.chunks() });
        if (meter.trouble === undefined) kept.set(file, { file, artifact: entryOf(file, meter) });
        else collected.leftOut.add(file.name, unreadable);
      } finally {
        await source.close();
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      collected.leftOut.add(file.name, unreadable);
    }
  }
  const manifest = manifestOf(
    of,
    collected.files.flatMap((file) => kept.get(file) ?? []),
    { incomplete },
  );
  yield* partBytes(whole({ kind: "manifest" }, Buffer.from(JSON.stringify(manifest))));
}

const unreadable = "it cannot be read";

/** Counts and hashes what is read of a file. If it cannot be read to its end, `trouble` says why, because its part must be ended all the same. */
class Meter {
  trouble: unknown;
  readonly #stream: Readable;
  readonly #hash = createHash("sha256");
  bytes = 0;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const chunks = this.#stream[Symbol.asyncIterator]();
    const read = async (): Promise<Buffer | undefined> => {
      try {
        return (await chunks.next()).value as Buffer | undefined;
      } catch (error) {
        this.trouble = error;
        return undefined;
      }
    };
    for (let chunk = await read(); chunk !== undefined; chunk = await read()) {
      this.bytes += chunk.length;
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  sha256(): string {
    return this.#hash.digest("hex");
  }
}

const entryOf = ({ path, mode, escaped }: ArtifactFile, meter: Meter): Manifest["artifacts"][number] => ({
  path,
  bytes: meter.bytes,
  sha256: meter.sha256(),
  mode,
  ...(escaped ? { escaped } : {}),
});

function newest(segments: readonly WaitingSegment[], most: number): readonly WaitingSegment[] {
  let left = most;
  return segments
    .toReversed()
    .filter(({ segment }) => {
      left -= segment.fileBytes;
      return left >= 0;
    })
    .toReversed();
}

const whole = (head: OutboxPart, ...chunks: readonly Buffer[]): OutboxPartBody => ({
  head,
  body: (async function* () {
    yield* chunks;
  })(),
});
