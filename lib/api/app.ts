import { type Context, Hono } from "hono";
import { FleetError } from "../model/fleet-error.ts";
import { basePath } from "./http/base-path.ts";
import type { ApiDeps } from "./http/deps.ts";
import type { Operation } from "./http/operation.ts";
import { type ApiResponse, problem, statuses } from "./http/response.ts";
import type { ProblemView } from "./views/problem.ts";
import { type SigningPrincipal, sessionOf, speakerOf } from "./views/speaker.ts";

/** What the server knows about a request in addition to the request itself. */
export type Signed = {
  readonly caller: SigningPrincipal;
  readonly requestId: string;
  /** The API's own address, for example `https://….lambda-url.us-east-1.on.aws`. */
  readonly origin?: string | undefined;
};

type Env = { Bindings: Signed };

/** Creates an HTTP API with these operations. It responds to every request with JSON or with problem details, also after an error. */
export function createApi(deps: ApiDeps, all: readonly Operation[]): Hono<Env> {
  const app = new Hono<Env>({ strict: true });
  const respondTo = async (context: Context<Env>, each: Operation | undefined, work: () => Promise<ApiResponse>): Promise<Response> => {
    const fromMs = deps.now();
    const { caller, requestId } = context.env;
    const outcome = await settled(work, (error) => deps.log({ level: "error", message: "call failed", requestId, error }));
    const response = httpOf(outcome, requestId);
    const session = sessionOf(caller.arn);
    deps.log({
      level: "info",
      message: "called",
      requestId,
      caller: session ? `${session.role}/${session.session}` : caller.arn,
      method: context.req.method,
      route: each?.path ?? "none",
      status: response.status,
      ms: deps.now() - fromMs,
    });
    return response;
  };

  for (const each of all) {
    app.on(each.method.toUpperCase(), pathOf(each), (context) => respondTo(context, each, () => run(deps, each, context)));
  }
  for (const [path, those] of Map.groupBy(all, pathOf)) {
    const allow = those.flatMap(({ method }) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()])).join(", ");
    app.all(path, async (context) => {
      const response = await respondTo(context, those[0], async () => problem("method", `This path supports only ${allow}.`));
      response.headers.set("allow", allow);
      return response;
    });
  }
  app.notFound((context) => respondTo(context, undefined, async () => problem("not-found", "The API has no such path.")));
  return app;
}

/** Returns an operation's path in hono's syntax, in which `{team}` is `:team`. */
const pathOf = ({ path }: Pick<Operation, "path">): string => `${basePath}${path.replaceAll(/\{(\w+)\}/g, ":$1")}`;

async function run(deps: ApiDeps, each: Operation, { req, env }: Context<Env>): Promise<ApiResponse> {
  const speaker = speakerOf(env.caller, deps.fleet);
  if (speaker.kind === "nobody") return problem("denied", "Your role may not act for any team of this deployment.");
  return each.run(deps, {
    params: req.param(),
    query: new URL(req.url).searchParams,
    contentType: req.header("content-type"),
    text: () => req.text(),
    speaker,
    caller: env.caller,
    requestId: env.requestId,
    origin: env.origin,
  });
}

/** Returns the outcome of `work`, or a problem if it throws. Details of errors go to the log, never to the caller. */
async function settled(work: () => Promise<ApiResponse>, onError: (error: unknown) => void): Promise<ApiResponse> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FleetError && error.code === "cursor") return problem("cursor", "The cursor is invalid.");
    onError(error);
    if (error instanceof FleetError && error.retry) return problem("busy", "The request could not be completed; try again in a moment.");
    return problem("internal", "An internal error occurred. Find it in the API's log by this request's id.");
  }
}

function httpOf(response: ApiResponse, requestId: string): Response {
  const common = { "cache-control": "no-store" };
  if (response.kind === "success" && response.status === 204) return new Response(null, { status: 204, headers: common });
  if (response.kind === "success") {
    return new Response(JSON.stringify(response.body), {
      status: response.status,
      headers: { ...common, "content-type": "application/json" },
    });
  }
  const { kind: _kind, ...fields } = response;
  const { status, title } = statuses[fields.code];
  const body: ProblemView = { type: "about:blank", title, status, ...fields, instance: `urn:uuid:${requestId}` };
  const headers = { ...common, "content-type": "application/problem+json", ...(fields.code === "busy" && { "retry-after": "1" }) };
  return new Response(JSON.stringify(body), { status, headers });
}
