/** A whole HTTP request in memory, for services whose calls are small. */
export type HttpCall = {
  readonly method: string;
  /** With its query string. */
  readonly path: string;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** If true, the connection is closed and nothing of this response is sent. */
  readonly cut?: true;
};
