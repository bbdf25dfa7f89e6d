import * as z from "zod";
import { checked, type Wrong } from "../../../events/checked.ts";
import { jsonOf } from "../../../events/json.ts";
import { type Caller, maySpeakFor, type Speaker } from "../views/speaker.ts";
import { type Answer, type GoodStatus, problem, type Refusal, type Trouble } from "./answer.ts";
import type { ApiDeps } from "./deps.ts";

/** A request, before anything of it was believed but who signed it. */
export type RawCall = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly contentType: string | undefined;
  readonly text: () => Promise<string>;
  readonly speaker: Speaker;
  readonly caller: Caller;
  readonly requestId: string;
  readonly origin?: string | undefined;
};

/** What an operation gets: parsed, and from somebody who may speak for the team that the path names. */
export type Call<Params, Query, Body> = Pick<RawCall, "speaker" | "caller" | "requestId" | "origin"> & {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The body as it came. */
  readonly text: string;
};

export type BodyRule<B> = {
  readonly schema: B;
  /** 0: none is read. */
  readonly mostBytes: number;
  /** Whether none stands for `{}`. */
  readonly optional: boolean;
};

/** Of an operation that looks at no body. */
export const noBody: BodyRule<z.ZodUndefined> = { schema: z.undefined(), mostBytes: 0, optional: true };

type Definition<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> = {
  readonly id: string;
  readonly method: "get" | "post" | "put" | "delete";
  /** Below the base path; a parameter is written `{team}`. */
  readonly path: string;
  readonly summary: string;
  readonly params: P;
  readonly query: Q;
  readonly body: BodyRule<B>;
  /** What its good answers have in them, and what each status means. */
  readonly answers: { readonly schema: A; readonly statuses: Readonly<Partial<Record<GoodStatus, string>>> };
  /** What can go wrong beside what can everywhere: a parameter, a signature, the server. */
  readonly problems: readonly Trouble["code"][];
  readonly handle: (deps: ApiDeps, call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Answer<z.input<A>>>;
};

/** One operation of the API: what its document says of it, and how it is run. */
export type Operation = Omit<Definition<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>, "handle"> & {
  readonly run: (deps: ApiDeps, call: RawCall) => Promise<Answer>;
};

export function operation<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  of: Definition<P, Q, B, A>,
): Operation {
  const { handle, ...said } = of;
  return {
    ...said,
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

/** A path that names a team is for its speakers only; to others all teams look alike, those that are not there, too. */
function whyRefused({ fleet }: ApiDeps, { params: { team }, speaker }: RawCall): Refusal | undefined {
  if (team === undefined) return undefined;
  if (!maySpeakFor(speaker, team)) return problem("denied", `You do not speak for the team ${team}.`);
  return fleet.teams.includes(team) ? undefined : problem("not-found", `There is no team ${team}.`);
}

/** A parameter that is given twice is none of what a schema asks for. */
const oneEach = (query: URLSearchParams): Record<string, string | string[]> =>
  Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const all = query.getAll(name);
      return [name, all.length === 1 ? (all[0] ?? "") : all];
    }),
  );

type Read<B> = { readonly kind: "read"; readonly body: B; readonly text: string } | Refusal;

async function readBody<B extends z.ZodType>(rule: BodyRule<B>, call: RawCall): Promise<Read<z.output<B>>> {
  const text = rule.mostBytes === 0 ? "" : await call.text();
  const none = text === "" && rule.optional;
  if (!none && !isJson(call.contentType)) return problem("media-type", "Send the body as application/json.");
  const bytes = Buffer.byteLength(text);
  if (bytes > rule.mostBytes) return problem("too-large", `The body has ${bytes} bytes, and ${rule.mostBytes} are allowed.`);
  const value = none ? (rule.mostBytes === 0 ? undefined : {}) : jsonOf(text);
  const body = checked(rule.schema, value);
  if (body.kind === "good") return { kind: "read", body: body.value, text };
  return !none && value === undefined ? problem("invalid", "The body is not JSON.") : invalid("the body", body.wrong);
}

const isJson = (contentType = ""): boolean => contentType.split(";")[0]?.trim().toLowerCase() === "application/json";

/** As many mistakes are named; who has made more finds the rest with the next call. */
const mostErrors = 20;

const invalid = (where: string, wrong: readonly Wrong[]): Refusal =>
  problem("invalid", `${wrong.length === 1 ? "Something is" : `${wrong.length} things are`} wrong in ${where}.`, {
    errors: wrong.slice(0, mostErrors).map(({ path, message }) => ({ field: path.map(String).join("."), message: message.slice(0, 500) })),
  });
