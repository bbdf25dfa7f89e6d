import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { ByteSource } from "../../lib/model/files/byte-source.ts";
import { FleetError } from "../../lib/model/fleet-error.ts";
import type { OutboxContext } from "./outbox.ts";

/**
 * How an outbox is encrypted: AES-256-GCM in frames, each with its own number and the last one with a mark, under a key that HKDF derives
 * from the data key and a random salt. This is the construction of Tink's AES-GCM-HKDF streaming. So frames can be neither changed, left
 * out, repeated, put in another order nor cut off, and two objects under one data key share no key. The context is part of each frame.
 *
 * An object is: `FWOUTBX1`, the length of the wrapped data key (2 bytes), that key, the salt, frames. Nothing else must be stored to open
 * it, because KMS unwraps the key, and only for the same context.
 */
const magic = Buffer.from("FWOUTBX1");
export const saltBytes = 32;
const longestWrapped = 1_024;
const frameBytes = 256 * 1024;
const tagBytes = 16;

export type SealKey = { readonly dataKey: Buffer; readonly salt: Buffer; readonly context: OutboxContext };

/** The clear beginning of a sealed outbox. */
export type SealHeader = { readonly wrappedKey: Buffer; readonly salt: Buffer };

export function sealHeader({ wrappedKey, salt }: SealHeader): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(wrappedKey.length);
  return Buffer.concat([magic, length, wrappedKey, salt]);
}

/** Throws a FleetError if the object is no sealed outbox. */
export async function readSealHeader(source: ByteSource): Promise<SealHeader> {
  const start = await source.take(magic.length + 2);
  if (start.length < magic.length + 2 || !start.subarray(0, magic.length).equals(magic)) throw broken("it is not a sealed outbox");
  const length = start.readUInt16BE(magic.length);
  if (length === 0 || length > longestWrapped) throw broken("its data key has a wrong length");
  const rest = await source.take(length + saltBytes);
  if (rest.length < length + saltBytes) throw broken("it ends within its header");
  return { wrappedKey: rest.subarray(0, length), salt: rest.subarray(length) };
}

/** Encrypts bytes of any number, in order. */
export async function* sealed(key: SealKey, plain: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const frames = new Frames(key);
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of plain) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes <= frameBytes) continue;
    let rest = Buffer.concat(waiting);
    // A full frame is kept back, because the last frame must be marked as such.
    for (; rest.length > frameBytes; rest = rest.subarray(frameBytes)) yield frames.seal(rest.subarray(0, frameBytes), false);
    waiting = [rest];
    bytes = rest.length;
  }
  yield frames.seal(Buffer.concat(waiting), true);
}

/** Decrypts what `sealed` made. Each frame is authenticated before it is returned. Throws a FleetError if anything is not as it was. */
export async function* opened(key: SealKey, source: ByteSource): AsyncGenerator<Buffer> {
  const frames = new Frames(key);
  let frame = await source.take(frameBytes + tagBytes);
  for (;;) {
    const next = frame.length < frameBytes + tagBytes ? Buffer.alloc(0) : await source.take(frameBytes + tagBytes);
    yield frames.open(frame, next.length === 0);
    if (next.length === 0) return;
    frame = next;
  }
}

class Frames {
  readonly #key: Buffer;
  readonly #context: Buffer;
  #number = 0;

  constructor({ dataKey, salt, context }: SealKey) {
    if (dataKey.length !== 32) throw broken("its data key has a wrong length");
    this.#key = Buffer.from(hkdfSync("sha256", dataKey, salt, "fleetwright outbox 1", 32));
    this.#context = Buffer.from(JSON.stringify([context.purpose, context.node, context.team, context.job, context.attempt]));
  }

  seal(plain: Buffer, isLast: boolean): Buffer {
    const cipher = createCipheriv("aes-256-gcm", this.#key, this.#nonce(isLast)).setAAD(this.#context);
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  open(frame: Buffer, isLast: boolean): Buffer {
    if (frame.length < tagBytes) throw broken("it is cut off");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, this.#nonce(isLast), { authTagLength: tagBytes });
    decipher.setAAD(this.#context).setAuthTag(frame.subarray(frame.length - tagBytes));
    const plain = decipher.update(frame.subarray(0, frame.length - tagBytes));
    try {
      decipher.final();
    } catch (cause) {
      throw broken("a part of it is not as its node sealed it", cause);
    }
    return plain;
  }

  #nonce(isLast: boolean): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(this.#number++, 7);
    nonce.writeUInt8(isLast ? 1 : 0, 11);
    return nonce;
  }
}

const broken = (why: string, cause?: unknown): FleetError => new FleetError("outbox", `the outbox cannot be opened: ${why}`, { cause });
