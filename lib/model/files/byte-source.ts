/** Reads a given number of bytes from a stream. It buffers at most one chunk more than was asked for. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Returns `count` bytes, or fewer if the stream ends before. */
  async take(count: number): Promise<Buffer> {
    if (this.#rest.length >= count) return this.#cut(count);
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const part = await this.some(missing);
      if (part === undefined) break;
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Returns the bytes that are available, at least one and at most `most`, or undefined at the end of the stream. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#rest = next.value;
    }
    return this.#cut(Math.min(most, this.#rest.length));
  }

  #cut(count: number): Buffer {
    const cut = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return cut;
  }
}
