import { createHash } from "node:crypto";
import { Transform } from "node:stream";

/** Thrown if bytes do not have the expected size or checksum. */
export class Mismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Mismatch";
  }
}

/** Returns a stream that passes bytes on. It fails with a Mismatch before it ends unless they have this size and SHA-256 (hex). */
export function checking(expected: { readonly bytes: number; readonly sha256: string }): Transform {
  const hash = createHash("sha256");
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > expected.bytes) done(new Mismatch(`more than the expected ${expected.bytes} bytes`));
      else done(null, chunk);
    },
    flush(done) {
      if (bytes !== expected.bytes) done(new Mismatch(`${bytes} bytes instead of ${expected.bytes}`));
      else if (hash.digest("hex") !== expected.sha256) done(new Mismatch("the SHA-256 differs from the expected one"));
      else done();
    },
  });
}
