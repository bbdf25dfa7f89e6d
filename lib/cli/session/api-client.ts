import { setTimeout as pause } from "node:timers/promises";
import type * as z from "zod";
import { checked, lineOf } from "../../../events/checked.ts";
import { jsonOf } from "../../../events/json.ts";
import { ProblemView } from "../../api/views/problem.ts";
import type { SignRequest } from "../../aws/access/request-signer.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { whatWentWrong } from "../invocation/exit.ts";

/** A call of the API. Every operation is idempotent, so a call may be repeated. */
export type ApiRequest = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path below the API's address, for example `/v1/pools`. Names in it must be URL-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
};

/**
 * Makes a call and parses the response with the schema. Throws Faults with messages for people: the codes of the API's problems
 * (`not-found`, `denied`, `invalid` and others), `api-unreachable` if there was no response, and `api-answer` if the response is not valid.
 */
export type CallApi = <T>(schema: z.ZodType<T>, call: ApiRequest) => Promise<T>;

export type ApiClientOptions = {
  readonly url: string;
  readonly sign: SignRequest;
  /** Where to find the API's own log, in words for error messages. */
  readonly log?: string;
  /** Time limit of one try, including reading the response. */
  readonly timeoutMs?: number;
  /** The most tries per call, including the first. */
  readonly maxTries?: number;
  /** Returns how long to wait after the nth failure. */
  readonly waitMs?: (failures: number) => number;
};

/** Waits 0.1 s plus full jitter below a ceiling that starts at 0.4 s and doubles with each failure. */
const jitteredMs = (failures: number): number => 100 + Math.random() * 200 * 2 ** failures;

export function apiClient(options: ApiClientOptions): CallApi {
  const { maxTries = 4, waitMs = jitteredMs } = options;
  return async (schema, call) => {
    for (let failures = 1; ; failures++) {
      try {
        return read(schema, await once(options, call));
      } catch (error) {
        if (!(error instanceof FleetError && error.retry) || failures >= maxTries) throw error;
        await pause(waitMs(failures));
      }
    }
  };
}

async function once({ url: base, sign, log, timeoutMs = 15_000 }: ApiClientOptions, call: ApiRequest): Promise<unknown> {
  const url = new URL(call.path.replace(/^\//, ""), base.endsWith("/") ? base : `${base}/`);
  for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value));
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const headers = { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const signed = await sign({ method: call.method, url, headers, body });
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: call.method,
      headers: signed,
      ...(body === undefined ? {} : { body }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    throw new FleetError("api-unreachable", `the API at ${url.host} does not respond (${whyUnreached(error)})`, {
      retry: true,
      cause: error,
    });
  }
  const value = text === "" ? undefined : jsonOf(text);
  if (!response.ok) throw problem(response.status, { value, text, log });
  return value;
}

/** Returns why a call failed. `fetch` gives the reason only as the cause of its error. */
const whyUnreached = (error: unknown): string => whatWentWrong(error instanceof Error && error.cause !== undefined ? error.cause : error);

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = checked(schema, value);
  if (result.kind === "good") return result.value;
  const where = result.wrong.slice(0, 3).map((wrong) => lineOf(wrong, "all of it"));
  throw new FleetError(
    "api-answer",
    `this fleet command cannot read the API's response (${where.join("; ")}); use the command of the release that is deployed`,
  );
}

/** Returns a FleetError for an error response, from the API itself or from AWS in front of it. */
function problem(
  status: number,
  { value, text, log = "the API's log" }: { value: unknown; text: string; log: string | undefined },
): FleetError {
  const retry = status === 429 || status >= 500;
  const parsed = ProblemView.safeParse(value);
  if (parsed.success) {
    const { code, detail, errors = [], instance } = parsed.data;
    const fields = errors.map(({ field, message }) => `\n  ${field}: ${message}`).join("");
    return new FleetError(code, `${detail}${fields}${code === "internal" ? ` (${instance} in ${log})` : ""}`, { retry });
  }
  if (status === 403)
    return new FleetError(
      "denied",
      `the API denied access: ${shown(text)}\n  use the credentials of a team's role or of an admin (AWS_PROFILE; or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)`,
    );
  return new FleetError("api-answer", `the API returned ${status}: ${shown(text)}`, { retry });
}

const shown = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 200) || "nothing";
