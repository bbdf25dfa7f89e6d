import { ByteSource } from "../../lib/model/files/byte-source.ts";
import { FleetError } from "../../lib/model/fleet-error.ts";
import { jsonOf } from "../json.ts";
import { OutboxPart } from "./outbox.ts";

/**
 * The plaintext of an outbox: parts, one after the other. A part is the length of its head (4 bytes), its head as JSON, and its body in
 * chunks, each after its length (4 bytes), up to a chunk of length 0. So the size of a body need not be known in advance.
 */
const longestHead = 16 * 1024;
const longestChunk = 4 * 1024 ** 2;

export type OutboxPartBody = { readonly head: OutboxPart; readonly body: AsyncIterable<Buffer> };

export async function* partBytes({ head, body }: OutboxPartBody): AsyncGenerator<Buffer> {
  const json = Buffer.from(JSON.stringify(head));
  if (json.length > longestHead) throw new FleetError("outbox", "the head of a part of the outbox is too long");
  yield Buffer.concat([lengthOf(json), json]);
  for await (const whole of body)
    for (let from = 0; from < whole.length; from += longestChunk) {
      const chunk = whole.subarray(from, from + longestChunk);
      yield lengthOf(chunk);
      yield chunk;
    }
  yield lengthOf(Buffer.alloc(0));
}

/** Reads parts. A body that was not read to its end is skipped. Throws a FleetError if the bytes are no parts. */
export async function* partsOf(plain: AsyncIterable<Buffer>): AsyncGenerator<OutboxPartBody> {
  const source = new ByteSource(plain);
  for (;;) {
    const length = await source.take(4);
    if (length.length === 0) return;
    const head = OutboxPart.safeParse(jsonOf((await exactly(source, numberIn(length, longestHead))).toString("utf8")));
    if (!head.success) throw new FleetError("outbox", "a part of the outbox does not have the form of one", { cause: head.error });
    const body = chunksIn(source);
    yield { head: head.data, body: { [Symbol.asyncIterator]: () => body } };
    while (!(await body.next()).done);
  }
}

/** Returns an iterator that goes on where it was left: unlike a generator, it is not closed by the end of a loop over it. */
function chunksIn(source: ByteSource): AsyncIterator<Buffer> {
  let isOver = false;
  return {
    async next() {
      const length = isOver ? 0 : numberIn(await source.take(4), longestChunk);
      isOver ||= length === 0;
      return isOver ? { done: true, value: undefined } : { done: false, value: await exactly(source, length) };
    },
  };
}

async function exactly(source: ByteSource, length: number): Promise<Buffer> {
  const bytes = await source.take(length);
  if (bytes.length < length) throw new FleetError("outbox", "the outbox ends within a part");
  return bytes;
}

function numberIn(bytes: Buffer, most: number): number {
  const number = bytes.length === 4 ? bytes.readUInt32BE() : Number.POSITIVE_INFINITY;
  if (number > most) throw new FleetError("outbox", "a part of the outbox has a wrong length");
  return number;
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}
