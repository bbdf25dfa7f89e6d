import { createHash } from "node:crypto";
import { Transform } from "node:stream";

/** The bytes that went by are not those that were promised. */
export class Mismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Mismatch";
  }
}

/** Passes bytes on and fails, before it ends, with a Mismatch unless they have this size and SHA-256 (hex). */
export function checking(expected: { readonly bytes: number; readonly sha256: string }): Transform {
  const hash = createHash("sha256");
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > expected.bytes) done(new Mismatch(`more than the ${expected.bytes} bytes that it should have`));
      else done(null, chunk);
    },
    flush(done) {
      if (bytes !== expected.bytes) done(new Mismatch(`${bytes} bytes instead of ${expected.bytes}`));
      else if (hash.digest("hex") !== expected.sha256) done(new Mismatch("not the SHA-256 that it should have"));
      else done();
    },
  });
}
