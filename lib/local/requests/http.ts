/** A whole HTTP request, read into memory: for the services whose calls are small. */
export type HttpCall = {
  readonly method: string;
  /** With its query string. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** The connection ends without a word of this answer. */
  readonly cut?: true;
};
