import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { ProblemView } from "../../../lib/api/views/problem.ts";
import { apiClient } from "../../../lib/cli/session/api-client.ts";
import { apiJobReader } from "../../../lib/cli/session/api-jobs.ts";
import type { Connection } from "../../../lib/cli/session/connection.ts";
import type { Context } from "../../../lib/cli/session/context.ts";
import { fleetApi } from "../../../lib/cli/session/fleet-api.ts";
import type { Console } from "../../../lib/cli/terminal/console.ts";
import type { Deployment } from "../../../lib/model/deployment.ts";
import { monday } from "../../fakes/builders.ts";

export type Called = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
};
export type FakeResponse = { readonly status?: number; readonly body?: unknown };
/** Responses by `METHOD /path`, or `METHOD *` for all other paths. Those of a list are sent one by one, and the last one repeatedly. */
export type Routes = Readonly<Record<string, FakeResponse | readonly FakeResponse[] | ((call: Called) => FakeResponse)>>;

export type FakeApi = {
  readonly url: string;
  readonly calls: readonly Called[];
  readonly authorizations: readonly string[];
  close(): Promise<void>;
};

export const problem = (status: number, code: string, detail: string): FakeResponse => ({
  status,
  body: ProblemView.parse({ type: "about:blank", title: "no", status, code, detail, instance: "urn:uuid:1" }),
});

/** Starts a server on 127.0.0.1 with these responses. For any other call it returns the API's 404. */
export async function startFakeApi(routes: Routes): Promise<FakeApi> {
  const calls: Called[] = [];
  const authorizations: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = await calledBy(request);
    authorizations.push(request.headers.authorization ?? "");
    const before = calls.filter(({ method, path }) => method === call.method && path === call.path).length;
    calls.push(call);
    const { status = 200, body } = responseTo(routes[`${call.method} ${call.path}`] ?? routes[`${call.method} *`], call, before);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    authorizations,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function calledBy(request: IncomingMessage): Promise<Called> {
  const url = new URL(request.url ?? "/", "http://fake");
  const sent = await text(request);
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    body: sent === "" ? undefined : jsonOr(sent),
  };
}

function jsonOr(sent: string): unknown {
  try {
    return JSON.parse(sent);
  } catch {
    return sent;
  }
}

function responseTo(route: Routes[string] | undefined, call: Called, before: number): FakeResponse {
  if (route === undefined) return problem(404, "not-found", `There is nothing at ${call.path}.`);
  if (typeof route === "function") return route(call);
  if ("at" in route) return route[before] ?? route.at(-1) ?? {};
  return route;
}

export const aDeployment = (over: Partial<Deployment> = {}): Deployment => ({
  name: "fleetwright",
  table: "t",
  jobsQueuePrefix: "q-",
  incomingBucket: "i",
  artifactsBucket: "a",
  codeBucket: "code",
  decisionsBucket: "d",
  datasetsBucket: "data",
  keyAliasPrefix: "alias/k-",
  logGroupPrefix: "/l/",
  apiUrl: "https://api.example/",
  teams: ["research", "vision"],
  pools: ["gpu"],
  defaultPool: "gpu",
  ...over,
});

export type Sent = { readonly team: string; readonly body: string };
export type Printed = { readonly out: readonly string[]; readonly note: readonly string[] };

/** Creates a command's context: the fake API, queues and a code store that record calls, and a console that records output. */
export function aContext(
  api: Pick<FakeApi, "url">,
  over: Partial<Connection> = {},
): { on: Context; printed: Printed; sent: readonly Sent[]; progress: readonly string[]; pauses: readonly number[] } {
  const printed = { out: [] as string[], note: [] as string[] };
  const sent: Sent[] = [];
  const progress: string[] = [];
  const pauses: number[] = [];
  const client = fleetApi(apiClient({ url: api.url, sign: async ({ headers }) => headers, waitMs: () => 1, timeoutMs: 5_000 }));
  const connection: Connection = {
    deployment: aDeployment(),
    api: client,
    jobs: apiJobReader(client),
    queue: {
      send: async (team, body) => {
        sent.push({ team, body });
        return { messageId: `message-${sent.length}` };
      },
      sendAll: async (team, bodies) =>
        bodies.map((body) => {
          sent.push({ team, body });
          return { kind: "sent", messageId: `message-${sent.length}` };
        }),
    },
    code: { putCode: async ({ team }) => ({ code: { s3: `s3://code/${team}/x.tar.gz`, sha256: "a".repeat(64) }, sent: true }) },
    artifacts: { list: async () => undefined, open: async () => undefined },
    files: { list: async () => [], isSame: async () => false, put: async () => undefined, remove: async () => [] },
    keptLogs: { segments: async () => [], open: () => Promise.reject(new Error("no log is kept here")) },
    ...over,
  };
  const console: Console = {
    out: (line) => void printed.out.push(line),
    note: (line) => void printed.note.push(line),
    jobLog: (line) => void printed.out.push(line),
    raw: (text) => void printed.out.push(text),
    bytes: async (chunk) => void printed.out.push(Buffer.from(chunk).toString("latin1")),
    isTerminal: false,
    progress: (line) => void (line !== undefined && progress.push(line)),
    paint: (_colour, text) => text,
    width: 100,
  };
  return {
    on: { connection, console, nowMs: monday + 3_600_000, pause: async (ms) => void pauses.push(ms) },
    printed,
    sent,
    progress,
    pauses,
  };
}
