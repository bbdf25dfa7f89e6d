import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { inWords } from "../model/errors/in-words.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { AccountFront } from "./account/account-front.ts";
import { whyForeign } from "./requests/caller.ts";
import type { S3Exchange } from "./requests/hidden-objects.ts";
import type { HttpCall, HttpResponse } from "./requests/http.ts";
import { signedFor } from "./requests/service-of.ts";
import type { LocalLog } from "./run/log-line.ts";

/** Where each call goes. The functions take whole calls. SSM and CloudWatch are streamed to moto, everything else to MiniStack. */
export type Routes = {
  readonly ministackUrl: string;
  readonly motoUrl: string;
  readonly ec2: (call: HttpCall) => Promise<HttpResponse>;
  readonly pricing: (call: HttpCall) => Promise<HttpResponse>;
  /** Called with each call to CloudWatch that moto has accepted. */
  readonly monitoring: (call: HttpCall) => void;
  /** Returns the error with which S3 would deny access where MiniStack returned 404, or undefined if S3 would return 404, too. */
  readonly hidden: (accessKeyId: string, exchange: S3Exchange) => { readonly body: string } | undefined;
  /** Called with each call to STS that MiniStack has carried out, and its response. */
  readonly sessions: (request: string, response: string) => void;
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

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly routes: Routes; readonly agent: Agent };

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
  if (routes.silent?.(signed.service)) return;
  if (routes.account?.takes(path, request.headers)) return respondWith(exchange, routes.account.handle);
  switch (signed.service) {
    case "ec2":
      return respondWith(exchange, routes.ec2);
    case "pricing":
      return respondWith(exchange, routes.pricing);
    case "monitoring":
      return relayMonitoring(exchange);
    case "ssm":
      return relay(exchange, routes.motoUrl);
    case "s3":
      return relay(exchange, routes.ministackUrl, (upstream) => passS3(exchange, signed.accessKeyId, upstream));
    case "sts":
      return relaySessions(exchange);
    default:
      return relay(exchange, routes.ministackUrl);
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

/** Forwards a response of MiniStack's S3, except a 404 that S3 would not reveal to this caller. */
async function passS3({ request, response, routes }: Exchange, accessKeyId: string, upstream: IncomingMessage): Promise<void> {
  const [method, path, status] = [request.method ?? "GET", request.url ?? "/", upstream.statusCode ?? 502];
  if (status !== 404 || (method !== "GET" && method !== "HEAD")) return pass(upstream, response);
  const body = await textOf(upstream);
  const hidden = routes.hidden(accessKeyId, { method, path, status, body });
  if (!hidden) response.writeHead(status, upstream.headers).end(body);
  else respond(response, { status: 403, headers: { "content-type": "application/xml" }, body: hidden.body });
}

async function relaySessions(exchange: Exchange): Promise<void> {
  const { request, response, routes } = exchange;
  const chunks = chunksOf(request);
  await relay(exchange, routes.ministackUrl, async (upstream) => {
    const body = await textOf(upstream);
    // The credentials must be known before the caller can use them.
    if (upstream.statusCode === 200) routes.sessions(Buffer.concat(chunks).toString(), body);
    response.writeHead(upstream.statusCode ?? 502, upstream.headers).end(body);
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function respondWith({ request, response }: Exchange, how: (call: HttpCall) => Promise<HttpResponse>): Promise<void> {
  const call = await whole(request);
  if (call === "too-large")
    return respond(response, { status: 413, headers: {}, body: '{"Message":"Request must be smaller than 6291456 bytes"}' });
  respond(response, await how(call));
}

async function relayMonitoring(exchange: Exchange): Promise<void> {
  const { request, response, routes } = exchange;
  const body = chunksOf(request);
  await relay(exchange, routes.motoUrl);
  if (response.statusCode === 200) routes.monitoring(callOf(request, Buffer.concat(body)));
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

/** Returns the chunks of a request while it is streamed. They are complete when the response is sent. */
function chunksOf(request: IncomingMessage): readonly Buffer[] {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

/** Streams a response. */
function pass(upstream: IncomingMessage, response: ServerResponse): void {
  response.writeHead(upstream.statusCode ?? 502, upstream.headers);
  upstream.pipe(response);
}

/** The emulators let every web page read their responses. No page may read these. */
const withoutCors = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("access-control-")));

/** The emulators refuse whatever a browser sends, because only this endpoint should call them. It has checked the call. */
const withoutBrowser = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "origin" && name !== "sec-fetch-site"));

/** Forwards the call with unchanged headers, including Host. `how` returns the response; by default it is streamed. */
function relay(
  { request, response, agent }: Exchange,
  to: string,
  how = async (upstream: IncomingMessage): Promise<void> => pass(upstream, response),
): Promise<void> {
  const { hostname, port } = new URL(to);
  return new Promise((resolve, reject) => {
    const onward = send(
      { hostname, port, agent, method: request.method, path: request.url, headers: withoutBrowser(request.headers) },
      (upstream) => {
        upstream.headers = withoutCors(upstream.headers);
        upstream.once("error", reject);
        how(upstream).catch(reject);
      },
    );
    onward.once("error", reject);
    // A long poll whose caller is gone must not receive a message, which would be lost.
    response.once("close", () => {
      if (!response.writableFinished) onward.destroy();
      resolve();
    });
    request.pipe(onward);
  });
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
