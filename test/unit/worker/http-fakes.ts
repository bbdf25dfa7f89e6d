import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod";
import { type Credentials, NodeCall, NodeResponse, type Order } from "../../../events/node-call.ts";
import type { JobSpec } from "../../../lib/model/job.ts";
import { aSpec } from "../../fakes/builders.ts";

export type Listening = { readonly url: string; close(): Promise<void> };

async function listen(handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void): Promise<Listening> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => handle(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type Report = Extract<NodeCall, { kind: "report" }>;
/** Returns the first report of a worker that holds nothing. */
export const aReport = (over: Partial<Report> = {}): Report => ({
  protocol: 1,
  kind: "report",
  pool: "gpu",
  workerVersion: "1",
  session: 1,
  sequence: 1,
  process: "p",
  attempts: [],
  renew: [],
  ...over,
});
export type Orders = Extract<NodeResponse, { kind: "orders" }>;

/** What the fake function does with a call: returns this response, loses it, or returns something else. */
export type Reply = NodeResponse | "lost" | { readonly status: number; readonly body: string };

/** A node function that records every call that it parsed and responds as the test wants. */
export async function fakeNodeFunction(
  reply: (call: Report, number: number) => Reply,
): Promise<Listening & { readonly calls: Report[]; readonly headers: Readonly<Record<string, unknown>>[] }> {
  const calls: Report[] = [];
  const headers: Readonly<Record<string, unknown>>[] = [];
  const listening = await listen((request, response, body) => {
    const call = NodeCall.parse(JSON.parse(body.toString()));
    if (call.kind === "begin") {
      response.end(JSON.stringify({ kind: "session", session: 1 }));
      return;
    }
    if (call.kind !== "report") throw new Error("not a report");
    calls.push(call);
    headers.push({ ...request.headers });
    const outcome = reply(call, calls.length);
    if (outcome === "lost") request.socket.destroy();
    else if ("status" in outcome) response.writeHead(outcome.status).end(outcome.body);
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(NodeResponse.parse(outcome)));
  });
  return { ...listening, calls, headers };
}

export type FakeMetadata = Listening & {
  /** Documents by path below /latest/. */
  readonly documents: Map<string, string>;
  /** All paths that were requested, in order. */
  readonly requested: string[];
  /** Invalidates all tokens that were handed out. */
  forgetTokens(): void;
};

/** An instance's metadata service with one role. It requires a token. */
export async function fakeMetadataService(): Promise<FakeMetadata> {
  const documents = new Map<string, string>();
  const requested: string[] = [];
  let token = 1;
  const listening = await listen((request, response) => {
    const path = request.url ?? "";
    const document = documents.get(path.replace("/latest/", ""));
    if (request.method !== "PUT") requested.push(path.replace("/latest/", ""));
    if (path === "/latest/api/token" && request.method === "PUT") response.end(`token-${token}`);
    else if (request.headers["x-aws-ec2-metadata-token"] !== `token-${token}`) response.writeHead(401).end();
    else if (document !== undefined) response.end(document);
    else if (path === "/latest/meta-data/iam/security-credentials/") response.end("worker-role");
    else if (path === "/latest/meta-data/iam/security-credentials/worker-role") {
      response.end(
        JSON.stringify({
          Code: "Success",
          AccessKeyId: "AKIAINSTANCE",
          SecretAccessKey: "instance-secret",
          Token: "instance-token",
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      );
    } else response.writeHead(404).end();
  });
  return {
    ...listening,
    documents,
    requested,
    forgetTokens: () => {
      token++;
    },
  };
}

export const orders = (over: Partial<Orders> = {}): Orders => ({
  kind: "orders",
  islandMs: 900_000,
  callAgainMs: 100,
  orders: [],
  done: [],
  renewed: [],
  unrecorded: [],
  ...over,
});

export const someCredentials = (expiresAtMs = Date.now() + 3_600_000): Credentials => ({
  accessKeyId: "AKIAJOB",
  secretAccessKey: "job-secret",
  sessionToken: "job-token",
  expiresAtMs,
});

export type RunOrder = Extract<Order, { kind: "run" }>;

export const runOrder = (spec: Partial<JobSpec> = {}, over: Partial<RunOrder> = {}): RunOrder => ({
  kind: "run",
  team: "vision",
  job: "train-1",
  attempt: 1,
  spec: aSpec(spec),
  credentials: someCredentials(),
  upload: { bucket: "incoming", kmsKey: "alias/team-vision" },
  log: { group: "/fleetwright/vision", stream: "train-1/1" },
  ...over,
});

export type FakeAws = Listening & {
  /** Objects by `bucket/key`. */
  readonly objects: Map<string, Buffer>;
  readonly headers: Map<string, Readonly<Record<string, unknown>>>;
  /** The events that a log stream has received. */
  logLines(stream: string): readonly string[];
  /** The objects that were requested, as `bucket/key`, in order. */
  readonly requested: string[];
  /** Makes this many uploads fail. */
  refuseUploads: number;
  /** Uploads of objects with such a name get no response. */
  stalls: RegExp | undefined;
};

const LogEvents = z.object({ logStreamName: z.string(), logEvents: z.array(z.object({ message: z.string() })) });

/** The parts of S3 and CloudWatch Logs that a small attempt needs. */
export async function fakeAws(): Promise<FakeAws> {
  const objects = new Map<string, Buffer>();
  const headers = new Map<string, Readonly<Record<string, unknown>>>();
  const logs = new Map<string, string[]>();
  const requested: string[] = [];
  const knobs: { refuseUploads: number; stalls: RegExp | undefined } = { refuseUploads: 0, stalls: undefined };
  const s3Error = (response: ServerResponse, status: number, code: string) =>
    response.writeHead(status, { "content-type": "application/xml" }).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  const listening = await listen((request, response, body) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname.slice(1));
    if (request.method === "POST" && path === "") {
      if (request.headers["x-amz-target"] === "Logs_20140328.PutLogEvents") {
        const { logStreamName, logEvents } = LogEvents.parse(JSON.parse(body.toString()));
        logs.set(logStreamName, [...(logs.get(logStreamName) ?? []), ...logEvents.map(({ message }) => message)]);
      }
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end("{}");
    } else if (request.method === "PUT" && knobs.refuseUploads > 0) {
      knobs.refuseUploads--;
      s3Error(response, 503, "SlowDown");
    } else if (request.method === "PUT" && knobs.stalls?.test(path)) {
      // The caller gives up.
    } else if (request.method === "PUT") {
      objects.set(path, unchunked(body, request.headers["x-amz-decoded-content-length"]));
      headers.set(path, { ...request.headers });
      response.writeHead(200, { etag: '"e"' }).end();
    } else {
      requested.push(path);
      const object = objects.get(path);
      if (object) response.writeHead(200, { "content-length": object.length }).end(object);
      else s3Error(response, 404, "NoSuchKey");
    }
  });
  return {
    ...listening,
    objects,
    headers,
    logLines: (stream) => logs.get(stream) ?? [],
    requested,
    get refuseUploads() {
      return knobs.refuseUploads;
    },
    set refuseUploads(count) {
      knobs.refuseUploads = count;
    },
    get stalls() {
      return knobs.stalls;
    },
    set stalls(pattern) {
      knobs.stalls = pattern;
    },
  };
}

/** Returns the body within `aws-chunked` encoding, which here is always one chunk and a trailer. */
function unchunked(body: Buffer, decodedLength: string | string[] | undefined): Buffer {
  if (decodedLength === undefined) return body;
  const start = body.indexOf("\r\n") + 2;
  return body.subarray(start, start + Number(decodedLength));
}
