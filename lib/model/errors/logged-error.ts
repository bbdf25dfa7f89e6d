/**
 * An error as a log prints it. No other field of an error is printed, because what the SDK, a parser or a caller has attached to it may
 * contain a request's headers, credentials or a presigned URL.
 */
export type LoggedError = {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  /** AWS's id of the request. */
  readonly requestId?: string;
  /** The HTTP status of AWS's response. */
  readonly status?: number;
  readonly stack?: string;
  readonly cause?: LoggedError;
  /** The first errors of an AggregateError. */
  readonly errors?: readonly LoggedError[];
};

/** Limits of one error with all its causes and parts: about 60 KiB of the 256 KiB that CloudWatch accepts as one line. */
const limits = { causes: 5, parts: 3, errors: 12, name: 200, message: 2_000, heading: 500, frames: 4_000 } as const;

/**
 * Returns whatever was thrown in the format of a log. Never throws: a getter that throws, a proxy or a cycle costs only the field in which
 * it occurs.
 */
export function loggedError(error: unknown): LoggedError {
  return logged(error, { depth: 0, seen: new Set() }) ?? { name: "unknown", message: "" };
}

/** Returns the fields of a log line, with the error under `error`, if there is one, in the format of a log. */
export function withLoggedError<F extends object>(fields: F): F | (Omit<F, "error"> & { readonly error: LoggedError }) {
  return "error" in fields && fields.error !== undefined ? { ...fields, error: loggedError(fields.error) } : fields;
}

type Walk = { readonly depth: number; readonly seen: Set<unknown> };

/** Returns undefined for an error that has been logged as part of the same line, and for one that exceeds the limits. */
function logged(error: unknown, { depth, seen }: Walk): LoggedError | undefined {
  if (depth > limits.causes || seen.size >= limits.errors || seen.has(error)) return undefined;
  seen.add(error);
  const message = textIn(error, "message");
  const stack = stackOf(error);
  if (message === undefined && stack === undefined && !isError(error))
    return { name: kindOf(error), message: cut(sayable(error), limits.message) };
  const next = { depth: depth + 1, seen };
  const metadata = read(error, "$metadata");
  const requestId = textIn(metadata, "requestId");
  const cause = read(error, "cause");
  return {
    name: cut(textIn(error, "name") ?? "Error", limits.name),
    message: cut(message ?? "", limits.message),
    ...present("code", codeIn(error)),
    ...present("requestId", requestId === undefined ? undefined : cut(requestId, limits.name)),
    ...present("status", numberIn(metadata, "httpStatusCode")),
    // The errors of some parsers have no frames; their stack only repeats the message.
    ...present("stack", stack?.includes("\n    at ") || message === undefined ? stack : undefined),
    ...present("cause", cause === undefined ? undefined : logged(cause, next)),
    ...present("errors", partsOf(error, next)),
  };
}

function partsOf(error: unknown, walk: Walk): readonly LoggedError[] | undefined {
  const errors = read(error, "errors");
  const count = numberIn(errors, "length") ?? 0;
  const parts = Array.from({ length: Math.min(count, limits.parts) }, (_, n) => logged(read(errors, n), walk));
  const found = parts.filter((part) => part !== undefined);
  return found.length > 0 ? found : undefined;
}

/** Returns the stack. A long message in its first line is cut by itself, so that the frames are kept. */
function stackOf(error: unknown): string | undefined {
  const stack = textIn(error, "stack");
  if (stack === undefined) return undefined;
  const at = stack.indexOf("\n    at ");
  if (at < 0) return cut(stack, limits.frames);
  return cut(stack.slice(0, at), limits.heading) + cut(stack.slice(at), limits.frames);
}

function codeIn(error: unknown): string | number | undefined {
  const text = textIn(error, "code");
  return text === undefined ? numberIn(error, "code") : cut(text, limits.name);
}

/** Returns what was thrown, if it is not an error, as a text. The fields of an object are not printed, because they may be anything. */
function sayable(thrown: unknown): string {
  if ((typeof thrown === "object" && thrown !== null) || typeof thrown === "function") return "this was thrown, which is not an error";
  return String(thrown);
}

/** `instanceof` calls a proxy's trap, which may throw. */
function isError(value: unknown): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

const kindOf = (thrown: unknown): string => (thrown === null ? "null" : typeof thrown);

function read(from: unknown, key: PropertyKey): unknown {
  if ((typeof from !== "object" || from === null) && typeof from !== "function") return undefined;
  try {
    return Reflect.get(from, key);
  } catch {
    return undefined;
  }
}

function textIn(from: unknown, key: string): string | undefined {
  const value = read(from, key);
  return typeof value === "string" ? value : undefined;
}

function numberIn(from: unknown, key: string): number | undefined {
  const value = read(from, key);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

const present = <K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: V };

const cut = (text: string, most: number): string => {
  const safe = withoutSecrets(text.slice(0, most));
  return text.length > most ? `${safe} … (${text.length - most} more characters)` : safe;
};

/** Hides secrets: a message may quote a presigned URL, the headers of a signed request, or the JSON of credentials. */
const withoutSecrets = (text: string): string => text.replaceAll(signed, "$1(hidden)").replaceAll(credentials, "$1(hidden)");
const signed =
  /(\b(?:X-Amz-(?:Signature|Credential|Security-Token)["']?\s*[=:]\s*["']?|(?:Signature|Credential|AWSAccessKeyId)=))[^&\s,;"'<>)]+/gi;
const credentials = /(["']?\b(?:secretAccessKey|sessionToken|SecretKey)\\?["']?\s*[:=]\s*\\?["']?)[^\s,;"'}\\]+/gi;
