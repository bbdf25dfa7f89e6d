/**
 * How a client is made. What is absent, the SDK reads where it always does (region, credentials, AWS_ENDPOINT_URL).
 * One file a service, so that a bundle carries, and a command loads, only those that it calls.
 */
export type ClientSettings = {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined;
  /** Until an answer begins, one attempt. */
  readonly requestMs?: number | undefined;
  /** The first try counts. */
  readonly maxAttempts?: number | undefined;
};

/** `silentMs`: a connection on which nothing moves for so long is dead. */
export type Bounds = { readonly requestMs: number; readonly maxAttempts: number; readonly silentMs?: number };

/** Calls that are answered at once or not at all. */
export const small: Bounds = { requestMs: 5_000, maxAttempts: 3 };

export function common({ region, endpoint, credentials, ...asked }: ClientSettings, usual: Bounds) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: asked.maxAttempts ?? usual.maxAttempts,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: asked.requestMs ?? usual.requestMs,
      // Without it a breach is only logged.
      throwOnRequestTimeout: true,
      socketTimeout: usual.silentMs ?? 15_000,
    },
  };
}
