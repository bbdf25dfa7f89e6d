import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { inWords } from "../model/errors/in-words.ts";
import { FleetError } from "../model/fleet-error.ts";
import { bucketOfAbsent, isDeletion, keyHeader } from "./access/calls/s3.ts";
import type { Guard } from "./access/guard.ts";
import { refused } from "./access/refusal.ts";
import type { AccountFront } from "./account/account-front.ts";
import { whyForeign } from "./requests/caller.ts";
import type { HttpCall, HttpResponse } from "./requests/http.ts";
import type { Principal } from "./requests/identities.ts";
import { type Forwarded, pass, relay } from "./requests/relay.ts";
import { type SignedFor, signedFor } from "./requests/service-of.ts";
import type { LocalLog } from "./run/log-line.ts";

/** Where each call goes. The functions take whole calls. SSM and CloudWatch are streamed to moto, everything else to MiniStack. */
export type Routes = {
  readonly ministackUrl: string;
  readonly motoUrl: string;
  readonly ec2: (call: HttpCall) => Promise<HttpResponse>;
  readonly pricing: (call: HttpCall) => Promise<HttpResponse>;
  /** Called with each call to CloudWatch that moto has accepted. */
  readonly monitoring: (call: HttpCall) => void;
  /** Judges each signed call. Function URLs judge theirs themselves. */
  readonly guard: Guard;
  /** Called with each call to STS that MiniStack has carried out, and its response. */
  readonly sessions: (call: HttpCall, response: string) => void;
  /** Handles the local cloud's own controls, under `/_local/`. */
  readonly controls: (call: HttpCall) => HttpResponse;
  /** Handles calls to the API under `/v1/`, where no AWS service is, so that one address serves the API, too. */
  readonly api: (call: HttpCall) => Promise<HttpResponse>;
  /** Handles a call to a function URL. `path` is the rest after the URL, from its slash on. The call's own path is the signed one. */
  readonly functionUrl: (target: { name: string; path: string }, call: HttpCall) => Promise<HttpResponse>;
  /** Handles calls about the account's limits and the stack's functions and alarms. @default the emulators handle all */
  readonly account?: AccountFront;
  /** Reports whether a call to this service of AWS gets no response at present, so that its caller must give up. @default never */
  readonly silent?: (service: string) => boolean;
};

export type Endpoint = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Starts to route calls. Before, every call gets a 503. */
  open(routes: Routes): void;
  close(): Promise<void>;
};

/** Lambda accepts 6 MB. The calls to EC2 and Pricing are far smaller. */
const callLimitBytes = 6 * 1024 * 1024;
const functionUrlPath = /^\/_url\/([A-Za-z0-9-_]+)(\/.*|\?.*|)$/;

/** Starts one server for all of AWS's APIs on 127.0.0.1. `port` 0 (default) takes a free port. `logFile` is where `log` writes. */
export async function createEndpoint(options: { port?: number; log: LocalLog; logFile: string }): Promise<Endpoint> {
  let routes: Routes | undefined;
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 15 * 60_000 });
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 75_000 }, (request, response) => {
    if (!routes) return respond(response, { status: 503, headers: {}, body: "The local cloud is still starting" });
    dispatch({ request, response, routes, agent }).catch((error: unknown) => {
      // Logged without the query, which may contain a presigned URL's signature.
      const path = request.url?.split("?")[0];
      options.log({ message: "endpoint call failed", method: request.method, path, error });
      failed(response, options.logFile);
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new FleetError("port-taken", `Cannot listen on 127.0.0.1:${options.port ?? 0}: ${inWords(error)}`, { cause: error })),
    );
    server.listen(options.port ?? 0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    open: (given) => {
      routes = given;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}

type Exchange = Forwarded & { readonly routes: Routes };

/** Routes a call. Functions and the API verify signatures; the emulators do not, so at least their calls must have one. */
async function dispatch(exchange: Exchange): Promise<void> {
  const { request, routes } = exchange;
  const foreign = whyForeign(request.headers);
  if (foreign !== undefined) return refuse(exchange, { type: "AccessDeniedException", message: foreign });
  const path = request.url ?? "/";
  const [, name, rest] = functionUrlPath.exec(path) ?? [];
  if (name !== undefined) {
    const target = { name, path: rest?.startsWith("/") ? rest : `/${rest ?? ""}` };
    return respondWith(exchange, (call) => routes.functionUrl(target, call));
  }
  if (path.startsWith("/v1/")) return respondWith(exchange, routes.api);
  if (path.startsWith("/_local/")) return respondWith(exchange, async (call) => routes.controls(call));
  const signed = signedFor(path, request.headers);
  if (signed === undefined) return refuse(exchange, { type: "MissingAuthenticationTokenException", message: unsigned });
  if (!routes.silent?.(signed.service)) await judged(exchange, signed);
}

/** Carries out a signed call of AWS, if the policies allow it. */
async function judged(exchange: Exchange, signed: SignedFor): Promise<void> {
  const { request, routes } = exchange;
  const head = callOf(request, Buffer.alloc(0));
  const identified = routes.guard.identify(signed, head);
  if ("response" in identified) return turnAway(exchange, identified.response);
  if (signed.service === "s3") return relayS3(exchange, head, identified.principal);
  const call = await whole(request);
  if (call === "too-large") return respond(exchange.response, tooLarge);
  const refusal = routes.guard.refuse(signed.service, call, identified.principal);
  if (refusal) return respond(exchange.response, refusal);
  if (routes.account?.takes(call.path, request.headers)) return respond(exchange.response, await routes.account.handle(call));
  return carryOut(exchange, signed.service, call);
}

/** Carries out a call that was allowed. */
async function carryOut(exchange: Exchange, service: string, call: HttpCall): Promise<void> {
  const { routes, response } = exchange;
  switch (service) {
    case "ec2":
      return respond(response, await routes.ec2(call));
    case "pricing":
      return respond(response, await routes.pricing(call));
    case "monitoring":
      return relayMonitoring(exchange, call);
    case "ssm":
      return relay(exchange, routes.motoUrl, { body: call.body });
    case "sts":
      return relaySessions(exchange, call);
    default:
      return relay(exchange, routes.ministackUrl, { body: call.body });
  }
}

const unsigned =
  "Missing Authentication Token. This is the AWS endpoint of a local cloud: call it with the fleet command, the AWS CLI or an SDK, which sign their calls";

/** Refuses a call before its body is read. */
function refuse({ request, response }: Exchange, { type, message }: { readonly type: string; readonly message: string }): void {
  request.resume();
  const body = JSON.stringify({ __type: type, message });
  respond(response, { status: 403, headers: { "content-type": "application/json" }, body });
}

/** Responds before the body is read. */
function turnAway({ request, response }: Exchange, how: HttpResponse): void {
  request.resume();
  respond(response, how);
}

/** Streams a call to S3, which may be large. Only the deletion of several objects is in its body. */
async function relayS3(exchange: Exchange, head: HttpCall, principal: Principal): Promise<void> {
  const { request, response, routes } = exchange;
  const inBody = isDeletion(head);
  const call = inBody ? await whole(request) : head;
  if (call === "too-large") return respond(response, tooLarge);
  const refusal = routes.guard.refuse("s3", call, principal);
  if (refusal) return turnAway(exchange, refusal);
  const how = (upstream: IncomingMessage): Promise<void> => passS3(exchange, { call, principal }, upstream);
  return relay(exchange, routes.ministackUrl, inBody ? { body: call.body, how } : { how });
}

/** Forwards a response of MiniStack's S3, except a 404 that S3 would not reveal to this caller, and what the caller may not decrypt. */
async function passS3(
  { response, routes }: Exchange,
  of: { call: HttpCall; principal: Principal },
  upstream: IncomingMessage,
): Promise<void> {
  const { call, principal } = of;
  const { method, path } = call;
  const status = upstream.statusCode ?? 502;
  const key = upstream.headers[keyHeader];
  const undecipherable = status < 300 && typeof key === "string" ? routes.guard.refuseDecryption(call, principal, key) : undefined;
  if (undecipherable) {
    upstream.resume();
    return respond(response, undecipherable);
  }
  if (status !== 404 || (method !== "GET" && method !== "HEAD")) return pass(upstream, response);
  const body = await text(upstream);
  const bucket = bucketOfAbsent({ method, path, status, body });
  // A read of an object has no `s3:prefix`, so a permission with a condition on it does not count, as on AWS.
  const asks = { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}`, context: {} };
  if (bucket === undefined || routes.guard.may(principal, asks)) response.writeHead(status, upstream.headers).end(body);
  else respond(response, refused("s3", call, { code: "AccessDenied", message: "Access Denied" }));
}

async function relaySessions(exchange: Exchange, call: HttpCall): Promise<void> {
  const { response, routes } = exchange;
  const how = async (upstream: IncomingMessage): Promise<void> => {
    const body = await text(upstream);
    // The credentials must be known before the caller can use them.
    if (upstream.statusCode === 200) routes.sessions(call, body);
    response.writeHead(upstream.statusCode ?? 502, upstream.headers).end(body);
  };
  await relay(exchange, routes.ministackUrl, { body: call.body, how });
}

async function respondWith({ request, response }: Exchange, how: (call: HttpCall) => Promise<HttpResponse>): Promise<void> {
  const call = await whole(request);
  if (call === "too-large") return respond(response, tooLarge);
  respond(response, await how(call));
}

const tooLarge: HttpResponse = { status: 413, headers: {}, body: '{"Message":"Request must be smaller than 6291456 bytes"}' };

async function relayMonitoring(exchange: Exchange, call: HttpCall): Promise<void> {
  await relay(exchange, exchange.routes.motoUrl, { body: call.body });
  if (exchange.response.statusCode === 200) exchange.routes.monitoring(call);
}

async function whole(request: IncomingMessage): Promise<HttpCall | "too-large"> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > callLimitBytes) return "too-large";
    chunks.push(buffer);
  }
  return callOf(request, Buffer.concat(chunks));
}

function callOf(request: IncomingMessage, body: Buffer): HttpCall {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(",") : value] as const],
  );
  return { method: request.method ?? "GET", path: request.url ?? "/", headers: Object.fromEntries(headers), body };
}

function respond(response: ServerResponse, { status, headers, body, cut }: HttpResponse): void {
  if (cut) return void response.destroy();
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

function failed(response: ServerResponse, logFile: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  respond(response, {
    status: 502,
    headers: { "content-type": "text/plain" },
    body: `The local cloud could not handle this call; see its log: ${logFile}`,
  });
}
