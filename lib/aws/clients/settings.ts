/**
 * Settings of a client. If region, endpoint or credentials are undefined, the SDK uses its usual sources, such as AWS_ENDPOINT_URL.
 * Each service has a file of its own, so that bundles contain and commands load only the clients that they call.
 */
export type ClientSettings = {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | undefined;
  /** How long one try may wait until the response begins, in ms. */
  readonly requestMs?: number | undefined;
  /** Number of tries, including the first. */
  readonly maxAttempts?: number | undefined;
};

/** Limits of a client. A connection without any traffic for `silentMs` is closed. */
export type ClientLimits = { readonly requestMs: number; readonly maxAttempts: number; readonly silentMs?: number };

/** Limits for services that respond quickly. */
export const small: ClientLimits = { requestMs: 5_000, maxAttempts: 3 };

export function common({ region, endpoint, credentials, ...overrides }: ClientSettings, usual: ClientLimits) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: overrides.maxAttempts ?? usual.maxAttempts,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: overrides.requestMs ?? usual.requestMs,
      // Without this option, a request that takes too long is only logged.
      throwOnRequestTimeout: true,
      socketTimeout: usual.silentMs ?? 15_000,
    },
  };
}
