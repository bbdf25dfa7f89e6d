import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { whyForeign } from "../../requests/caller.ts";
import type { IssuedCredentials } from "../../requests/identities.ts";
import type { InstanceFacts, InstanceNotices } from "./instance.ts";

/** The metadata service of an instance. It is IMDSv2: every read needs a token. */
export type MetadataService = { readonly url: string; close(): Promise<void> };

export type MetadataSource = {
  readonly instance: InstanceFacts;
  readonly role: string;
  /** Whether the service shows the instance's tags. */
  readonly showsTags: boolean;
  credentials(): IssuedCredentials;
  notices(): InstanceNotices;
};

const maxTokenSeconds = 21_600;

export async function serveMetadata(source: MetadataSource): Promise<MetadataService> {
  const tokens = new Map<string, number>();
  const server = createServer((request, response) => {
    const { status, body } = request.method === "PUT" ? issueToken(tokens, request) : read(source, tokens, request);
    send(response, status, body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type ImdsResponse = { readonly status: number; readonly body: string };

function issueToken(tokens: Map<string, number>, request: IncomingMessage): ImdsResponse {
  if (request.url !== "/latest/api/token") return { status: 404, body: "" };
  const seconds = Number(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxTokenSeconds) return { status: 400, body: "" };
  // A request through a proxy gets no token. The real service refuses it, too.
  if (request.headers["x-forwarded-for"] !== undefined || whyForeign(request.headers) !== undefined) return { status: 403, body: "" };
  const token = randomBytes(40).toString("base64");
  tokens.set(token, Date.now() + seconds * 1000);
  return { status: 200, body: token };
}

function read(source: MetadataSource, tokens: Map<string, number>, request: IncomingMessage): ImdsResponse {
  const token = request.headers["x-aws-ec2-metadata-token"];
  const until = typeof token === "string" ? tokens.get(token) : undefined;
  if (until === undefined || until < Date.now()) return { status: 401, body: "" };
  if (request.method !== "GET") return { status: 405, body: "" };
  const body = document(source, (request.url ?? "/").replace(/\/+$/, ""));
  return body === undefined ? { status: 404, body: "" } : { status: 200, body };
}

function document(source: MetadataSource, path: string): string | undefined {
  const { instance, role, showsTags } = source;
  const tagPath = "/latest/meta-data/tags/instance";
  if (path.startsWith(tagPath) && !showsTags) return undefined;
  if (path === tagPath) return Object.keys(instance.tags).join("\n");
  if (path.startsWith(`${tagPath}/`)) {
    const tagName = path.slice(tagPath.length + 1);
    return Object.entries(instance.tags).find(([name]) => encodeURIComponent(name) === tagName || name === tagName)?.[1];
  }
  switch (path) {
    case "/latest/meta-data/instance-id":
      return instance.id;
    case "/latest/meta-data/instance-type":
      return instance.instanceType;
    case "/latest/meta-data/ami-id":
      return instance.imageId;
    case "/latest/meta-data/local-ipv4":
      // The other nodes reach it here, because every node is a process of this machine.
      return "127.0.0.1";
    case "/latest/meta-data/instance-life-cycle":
      return instance.market;
    case "/latest/meta-data/placement/availability-zone":
      return instance.zone;
    case "/latest/meta-data/placement/region":
      return instance.region;
    case "/latest/meta-data/iam/security-credentials":
      return role;
    case `/latest/meta-data/iam/security-credentials/${role}`:
      return credentialsDocument(source.credentials());
    case "/latest/meta-data/spot/instance-action":
      return instanceAction(source.notices().endsAtMs);
    case "/latest/meta-data/events/recommendations/rebalance":
      return rebalance(source.notices().rebalanceAtMs);
    case "/latest/dynamic/instance-identity/document":
      return identityDocument(instance);
    default:
      return undefined;
  }
}

const credentialsDocument = (issued: IssuedCredentials): string =>
  JSON.stringify({
    Code: "Success",
    LastUpdated: isoSeconds(Date.now()),
    Type: "AWS-HMAC",
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    Token: issued.sessionToken,
    Expiration: isoSeconds(issued.expiresAtMs),
  });

const instanceAction = (endsAtMs: number | undefined): string | undefined =>
  endsAtMs === undefined ? undefined : JSON.stringify({ action: "terminate", time: isoSeconds(endsAtMs) });

const rebalance = (noticedAtMs: number | undefined): string | undefined =>
  noticedAtMs === undefined ? undefined : JSON.stringify({ noticeTime: isoSeconds(noticedAtMs) });

const identityDocument = (instance: InstanceFacts): string =>
  JSON.stringify({
    accountId: instance.accountId,
    architecture: "x86_64",
    availabilityZone: instance.zone,
    imageId: instance.imageId,
    instanceId: instance.id,
    instanceType: instance.instanceType,
    privateIp: instance.privateIp,
    region: instance.region,
    version: "2017-09-30",
  });

const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
