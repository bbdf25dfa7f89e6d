import * as z from "zod";
import { checked, type Wrong } from "../../../events/checked.ts";
import { jsonOf } from "../../../events/json.ts";
import { maySpeakFor, type SigningPrincipal, type Speaker } from "../views/speaker.ts";
import type { ApiDeps } from "./deps.ts";
import { type ApiResponse, type ProblemFields, type ProblemResponse, problem, type SuccessStatus } from "./response.ts";

/** A request of which only the signature has been checked. */
export type RawCall = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly contentType: string | undefined;
  readonly text: () => Promise<string>;
  readonly speaker: Speaker;
  readonly caller: SigningPrincipal;
  readonly requestId: string;
  readonly origin?: string | undefined;
};

/** The input of an operation: parsed, from a caller who may act for the team that the path names. */
export type OperationCall<Params, Query, Body> = Pick<RawCall, "speaker" | "caller" | "requestId" | "origin"> & {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The body as it was received. */
  readonly text: string;
};

export type BodyRule<B> = {
  readonly schema: B;
  /** The largest body accepted, in bytes; if 0, no body is read. */
  readonly maxBytes: number;
  /** Whether a missing body is read as `{}`. */
  readonly optional: boolean;
};

/** The rule of operations that read no body. */
export const noBody: BodyRule<z.ZodUndefined> = { schema: z.undefined(), maxBytes: 0, optional: true };

type Definition<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> = {
  readonly id: string;
  readonly method: "get" | "post" | "put" | "delete";
  /** Below the base path; a parameter is written `{team}`. */
  readonly path: string;
  readonly summary: string;
  readonly params: P;
  readonly query: Q;
  readonly body: BodyRule<B>;
  /** The schema of successful responses, and the meaning of each status. */
  readonly responses: { readonly schema: A; readonly statuses: Readonly<Partial<Record<SuccessStatus, string>>> };
  /** The problems that this operation may have in addition to those of every operation: parameters, signature, server. */
  readonly problems: readonly ProblemFields["code"][];
  readonly handle: (deps: ApiDeps, call: OperationCall<z.output<P>, z.output<Q>, z.output<B>>) => Promise<ApiResponse<z.input<A>>>;
};

/** An operation of the API: its part of the document, and how it runs. */
export type Operation = Omit<Definition<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>, "handle"> & {
  readonly run: (deps: ApiDeps, call: RawCall) => Promise<ApiResponse>;
};

export function operation<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  of: Definition<P, Q, B, A>,
): Operation {
  const { handle, ...described } = of;
  return {
    ...described,
    async run(deps, call) {
      const params = checked(of.params, call.params);
      if (params.kind === "wrong") return invalid("the path", params.wrong);
      const refused = whyRefused(deps, call);
      if (refused) return refused;
      const query = checked(of.query, oneEach(call.query));
      if (query.kind === "wrong") return invalid("the query", query.wrong);
      const { speaker, caller, requestId, origin } = call;
      const common = { params: params.value, query: query.value, speaker, caller, requestId, origin };
      const read = await readBody(of.body, call);
      return read.kind === "problem" ? read : handle(deps, { ...common, body: read.body, text: read.text });
    },
  };
}

/**
 * Returns why the caller may not use the path's team, or undefined if it may. A caller who may not act for the team gets the same
 * refusal whether the team exists or not.
 */
function whyRefused({ fleet }: ApiDeps, { params: { team }, speaker }: RawCall): ProblemResponse | undefined {
  if (team === undefined) return undefined;
  if (!maySpeakFor(speaker, team)) return problem("denied", `You may not act for the team ${team}.`);
  return fleet.teams.includes(team) ? undefined : problem("not-found", `There is no team ${team}.`);
}

/** Returns the query's parameters. One that is given twice becomes an array, which every schema refuses. */
const oneEach = (query: URLSearchParams): Record<string, string | string[]> =>
  Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const all = query.getAll(name);
      return [name, all.length === 1 ? (all[0] ?? "") : all];
    }),
  );

type Read<B> = { readonly kind: "read"; readonly body: B; readonly text: string } | ProblemResponse;

async function readBody<B extends z.ZodType>(rule: BodyRule<B>, call: RawCall): Promise<Read<z.output<B>>> {
  const text = rule.maxBytes === 0 ? "" : await call.text();
  const none = text === "" && rule.optional;
  if (!none && !isJson(call.contentType)) return problem("media-type", "Send the body as application/json.");
  const bytes = Buffer.byteLength(text);
  if (bytes > rule.maxBytes) return problem("too-large", `The body has ${bytes} bytes, but only ${rule.maxBytes} are allowed.`);
  const value = none ? (rule.maxBytes === 0 ? undefined : {}) : jsonOf(text);
  const body = checked(rule.schema, value);
  if (body.kind === "good") return { kind: "read", body: body.value, text };
  return !none && value === undefined ? problem("invalid", "The body is not JSON.") : invalid("the body", body.wrong);
}

const isJson = (contentType = ""): boolean => contentType.split(";")[0]?.trim().toLowerCase() === "application/json";

/** The number of mistakes that one response names. The next call reports the others. */
const maxErrors = 20;

const invalid = (where: string, wrong: readonly Wrong[]): ProblemResponse =>
  problem("invalid", `There ${wrong.length === 1 ? "is a mistake" : `are ${wrong.length} mistakes`} in ${where}.`, {
    errors: wrong.slice(0, maxErrors).map(({ path, message }) => ({ field: path.map(String).join("."), message: message.slice(0, 500) })),
  });
