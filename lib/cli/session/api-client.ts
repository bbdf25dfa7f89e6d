import { setTimeout as pause } from "node:timers/promises";
import type * as z from "zod";
import { checked, lineOf } from "../../../events/checked.ts";
import { jsonOf } from "../../../events/json.ts";
import { Problem } from "../../api/views/problem.ts";
import type { SignRequest } from "../../aws/access/request-signer.ts";
import { Fault } from "../../model/fault.ts";
import { whatWentWrong } from "../invocation/exit.ts";

/** One operation of the API. Each may be repeated: none does more when it is done twice. */
export type ApiCall = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the API's address, such as `/v1/pools`; names in it are encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
};

/**
 * Makes a call and reads its answer by the schema. Throws Faults with words for a person: `not-found`, `denied`, `invalid`
 * and the other codes of the API's problems; `api-unreachable` when nobody answered; `api-answer` for what is no answer of ours.
 */
export type CallApi = <T>(schema: z.ZodType<T>, call: ApiCall) => Promise<T>;

export type ApiClientOptions = {
  readonly url: string;
  readonly sign: SignRequest;
  /** Where the API's own log is, for a person. */
  readonly log?: string;
  /** For one try, its answer read. */
  readonly timeoutMs?: number;
  /** The first try counts. */
  readonly mostTries?: number;
  /** How long to wait after the nth failure. */
  readonly waitMs?: (failures: number) => number;
};

/** Full jitter below a ceiling that doubles from 0.4 s. */
const jitteredMs = (failures: number): number => 100 + Math.random() * 200 * 2 ** failures;

export function apiClient(options: ApiClientOptions): CallApi {
  const { mostTries = 4, waitMs = jitteredMs } = options;
  return async (schema, call) => {
    for (let failures = 1; ; failures++) {
      try {
        return read(schema, await once(options, call));
      } catch (error) {
        if (!(error instanceof Fault && error.retry) || failures >= mostTries) throw error;
        await pause(waitMs(failures));
      }
    }
  };
}

async function once({ url: base, sign, log, timeoutMs = 15_000 }: ApiClientOptions, call: ApiCall): Promise<unknown> {
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
    throw new Fault("api-unreachable", `the API at ${url.host} does not answer (${whyUnreached(error)})`, { retry: true, cause: error });
  }
  const value = text === "" ? undefined : jsonOf(text);
  if (!response.ok) throw problem(response.status, { value, text, log });
  return value;
}

/** `fetch` itself says only that it failed. */
const whyUnreached = (error: unknown): string => whatWentWrong(error instanceof Error && error.cause !== undefined ? error.cause : error);

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const answer = checked(schema, value);
  if (answer.kind === "good") return answer.value;
  const where = answer.wrong.slice(0, 3).map((wrong) => lineOf(wrong, "all of it"));
  throw new Fault(
    "api-answer",
    `the API's answer has another shape than this fleet command knows (${where.join("; ")}); use the command of the release that is deployed`,
  );
}

/** What the API says is wrong, or what AWS said before it was reached. */
function problem(status: number, { value, text, log = "the API's log" }: { value: unknown; text: string; log: string | undefined }): Fault {
  const retry = status === 429 || status >= 500;
  const said = Problem.safeParse(value);
  if (said.success) {
    const { code, detail, errors = [], instance } = said.data;
    const fields = errors.map(({ field, message }) => `\n  ${field}: ${message}`).join("");
    return new Fault(code, `${detail}${fields}${code === "internal" ? ` (${instance} in ${log})` : ""}`, { retry });
  }
  if (status === 403)
    return new Fault(
      "denied",
      `the API does not let you in: ${shown(text)}\n  speak as a team's role or as an admin (AWS_PROFILE; or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)`,
    );
  return new Fault("api-answer", `the API answered ${status}: ${shown(text)}`, { retry });
}

const shown = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 200) || "nothing";
