import { afterEach, expect, it } from "vitest";
import { type MetadataService, serveMetadata } from "../../../lib/local/ec2/instances/imds.ts";
import type { InstanceNotices } from "../../../lib/local/ec2/instances/instance.ts";

let service: MetadataService | undefined;
afterEach(() => service?.close());

const instance = {
  id: "i-0123456789abcdef0",
  region: "us-east-1",
  instanceType: "g5.xlarge",
  zone: "us-east-1b",
  market: "spot",
  imageId: "ami-1",
  privateIp: "172.31.0.9",
  accountId: "123456789012",
  tags: { Name: "a b", "fleetwright:launch": "l-1" },
} as const;

async function served(
  notices: InstanceNotices = {},
  showsTags = true,
): Promise<{ get(path: string, token?: string): Promise<Response>; token(seconds?: string): Promise<Response> }> {
  const credentials = () => ({ accessKeyId: "A", secretAccessKey: "S", sessionToken: "T", expiresAtMs: Date.UTC(2026, 5, 1, 12) });
  service = await serveMetadata({ instance, role: "nodes", showsTags, credentials, notices: () => notices });
  const { url } = service;
  return {
    get: (path, token) => fetch(`${url}/latest/${path}`, { headers: token === undefined ? {} : { "x-aws-ec2-metadata-token": token } }),
    token: (seconds = "60") =>
      fetch(`${url}/latest/api/token`, { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": seconds } }),
  };
}

it("the metadata service refuses reads without a token, and issues no token for a bad request", async () => {
  const imds = await served();
  expect((await imds.get("meta-data/instance-id")).status).toBe(401);
  expect((await imds.get("meta-data/instance-id", "made-up")).status).toBe(401);
  for (const seconds of ["", "0", "21601", "x"]) expect((await imds.token(seconds)).status).toBe(400);
});

it("the metadata service issues no token to a web page", async () => {
  await served();
  const headers = { "x-aws-ec2-metadata-token-ttl-seconds": "60", origin: "https://evil.example" };
  expect((await fetch(`${service?.url}/latest/api/token`, { method: "PUT", headers })).status).toBe(403);
});

it("the metadata service shows no tags unless the instance was launched with metadata that has them", async () => {
  const imds = await served({}, false);
  const token = await (await imds.token()).text();
  for (const path of ["", "/", "/Name"]) expect((await imds.get(`meta-data/tags/instance${path}`, token)).status).toBe(404);
});

it("the metadata service has no tag with a name that is not a valid URL part", async () => {
  const imds = await served();
  const token = await (await imds.token()).text();
  // As long as those of EC2.
  expect(token).toHaveLength(56);
  expect((await imds.get("meta-data/tags/instance/%E0", token)).status).toBe(404);
  expect(await (await imds.get("meta-data/tags/instance/fleetwright%3Alaunch", token)).text()).toBe("l-1");
});

it("the metadata service returns the instance's facts, its tags and its role's credentials", async () => {
  const imds = await served();
  const token = await (await imds.token()).text();
  const read = async (path: string) => (await imds.get(path, token)).text();
  expect(await read("meta-data/instance-id")).toBe(instance.id);
  expect(await read("meta-data/placement/availability-zone")).toBe("us-east-1b");
  expect(await read("meta-data/placement/region")).toBe("us-east-1");
  expect(await read("meta-data/tags/instance/")).toBe("Name\nfleetwright:launch");
  expect(await read("meta-data/tags/instance/Name")).toBe("a b");
  expect(await read("meta-data/iam/security-credentials/")).toBe("nodes");
  expect(JSON.parse(await read("meta-data/iam/security-credentials/nodes"))).toEqual({
    Code: "Success",
    LastUpdated: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    Type: "AWS-HMAC",
    AccessKeyId: "A",
    SecretAccessKey: "S",
    Token: "T",
    Expiration: "2026-06-01T12:00:00Z",
  });
  expect(JSON.parse(await read("dynamic/instance-identity/document"))).toMatchObject({
    instanceId: instance.id,
    accountId: "123456789012",
  });
  for (const path of [
    "meta-data/spot/instance-action",
    "meta-data/tags/instance/other",
    "meta-data/iam/security-credentials/admin",
    "user-data",
  ]) {
    expect((await imds.get(path, token)).status).toBe(404);
  }
});

it("the metadata service shows a spot instance's interruption and rebalance notices if there are any", async () => {
  const imds = await served({ endsAtMs: Date.UTC(2026, 5, 1, 12, 2, 3, 900), rebalanceAtMs: Date.UTC(2026, 5, 1, 11) });
  const token = await (await imds.token()).text();
  const read = async (path: string) => (await imds.get(`meta-data/${path}`, token)).json();
  expect(await read("spot/instance-action")).toEqual({ action: "terminate", time: "2026-06-01T12:02:03Z" });
  expect(await read("events/recommendations/rebalance")).toEqual({ noticeTime: "2026-06-01T11:00:00Z" });
  expect(await (await imds.get("meta-data/local-ipv4", token)).text()).toBe("127.0.0.1");
});

it("each document of the metadata service says what is known about the instance", async () => {
  const imds = await served();
  const token = await (await imds.token()).text();
  const read = async (path: string) => (await imds.get(path, token)).text();
  const facts = ["instance-type", "ami-id", "instance-life-cycle"].map((path) => read(`meta-data/${path}`));
  expect(await Promise.all(facts)).toEqual(["g5.xlarge", "ami-1", "spot"]);
  expect(JSON.parse(await read("dynamic/instance-identity/document"))).toEqual({
    accountId: "123456789012",
    architecture: "x86_64",
    availabilityZone: "us-east-1b",
    imageId: "ami-1",
    instanceId: instance.id,
    instanceType: "g5.xlarge",
    privateIp: "172.31.0.9",
    region: "us-east-1",
    version: "2017-09-30",
  });
  expect((await imds.get("meta-data/events/recommendations/rebalance", token)).status).toBe(404);
});

it("the metadata service issues tokens for one second to six hours, at one path only, and not through a proxy", async () => {
  const imds = await served();
  for (const seconds of ["1", "21600"]) expect((await imds.token(seconds)).status).toBe(200);
  expect((await imds.token("1.5")).status).toBe(400);
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${service?.url}${path}`, { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60", ...headers } });
  expect((await ask("/latest/api/other")).status).toBe(404);
  expect((await ask("/latest/api/token", { "x-forwarded-for": "10.0.0.1" })).status).toBe(403);
  const token = await (await imds.token()).text();
  const post = await fetch(`${service?.url}/latest/meta-data/instance-id`, {
    method: "POST",
    headers: { "x-aws-ec2-metadata-token": token },
  });
  expect([post.status, post.headers.get("content-type")]).toEqual([405, "text/plain"]);
});
