import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { s3CodeStore } from "../../lib/aws/artifacts/code.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { stsClient } from "../../lib/aws/clients/sts.ts";
import { createEndpoint, type Endpoint } from "../../lib/local/endpoint.ts";
import { assumedRole } from "../../lib/local/requests/assumed-role.ts";
import { hiddenObject } from "../../lib/local/requests/hidden-objects.ts";
import { createIdentities, wellKnown } from "../../lib/local/requests/identities.ts";
import type { Statement } from "../../lib/local/requests/policy.ts";
import { unique } from "./wire.ts";

/** The local cloud's endpoint of S3 and STS, with three roles: one may list the bucket, one may not, and one may below a prefix. */
const bucket = unique("rights");
const may = (action: string, resource: string, condition: Statement["Condition"] = {}): Statement => ({
  Effect: "Allow",
  Action: [action],
  Resource: [resource],
  Condition: condition,
});
const read = may("s3:GetObject", `arn:aws:s3:::${bucket}/*`);
const list = (condition?: Statement["Condition"]) => may("s3:ListBucket", `arn:aws:s3:::${bucket}`, condition);
const roles: Readonly<Record<string, readonly Statement[]>> = {
  administrator: [may("*", "*")],
  lister: [read, list()],
  team: [read],
  below: [read, list({ StringLike: { "s3:prefix": ["team/*"] } })],
};

let endpoint: Endpoint;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rights-"));
  endpoint = await createEndpoint({ log: () => undefined, logFile: "cloud.log" });
  const identities = createIdentities();
  const unused = { status: 501, headers: {}, body: "" };
  endpoint.open({
    ministackUrl: inject("ministackUrl"),
    motoUrl: inject("motoUrl"),
    ec2: async () => unused,
    pricing: async () => unused,
    functionUrl: async () => unused,
    controls: () => unused,
    monitoring: () => undefined,
    api: async () => unused,
    hidden: (key, exchange) => hiddenObject(exchange, roles[identities.find(key)?.principal.role ?? ""], "123456789012"),
    sessions: (request, response) => {
      const assumed = assumedRole(request, response);
      if (assumed) identities.adopt(assumed.principal, assumed.credentials);
    },
  });
  await (await s3As("administrator")).send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

const settings = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) => ({
  endpoint: endpoint.url,
  region: "us-east-1",
  credentials,
  requestMs: 10_000,
});

/** Returns a client that signs as a role, with credentials from STS. */
async function s3As(role: string) {
  const { accessKeyId, secretAccessKey } = wellKnown;
  if (role === "administrator") return s3Client(settings({ accessKeyId, secretAccessKey }));
  const assume = new AssumeRoleCommand({ RoleArn: `arn:aws:iam::000000000000:role/${role}`, RoleSessionName: "test" });
  const { Credentials: given } = await stsClient(settings({ accessKeyId, secretAccessKey })).send(assume);
  if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken) throw new Error("STS gave no credentials");
  return s3Client(settings({ accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.SessionToken }));
}

const absent = { Bucket: bucket, Key: "team/absent" };

test.each(["administrator", "lister"])(
  "the role %s, which may list the bucket, gets the error that an object does not exist",
  async (role) => {
    const s3 = await s3As(role);
    await expect(s3.send(new HeadObjectCommand(absent))).rejects.toMatchObject({ name: "NotFound", $metadata: { httpStatusCode: 404 } });
    await expect(s3.send(new GetObjectCommand(absent))).rejects.toMatchObject({ name: "NoSuchKey" });
  },
);

test.each(["team", "below"])(
  "the role %s, which may not list the bucket, is denied an object that does not exist and reads one that does",
  async (role) => {
    const s3 = await s3As(role);
    await expect(s3.send(new HeadObjectCommand(absent))).rejects.toMatchObject({ name: "Unknown", $metadata: { httpStatusCode: 403 } });
    await expect(s3.send(new GetObjectCommand(absent))).rejects.toMatchObject({ name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
    const there = { Bucket: bucket, Key: `team/${role}` };
    await s3.send(new PutObjectCommand({ ...there, Body: "x" }));
    expect((await s3.send(new HeadObjectCommand(there))).ContentLength).toBe(1);
  },
);

test("a team's role uploads an archive once", async () => {
  const store = s3CodeStore({ s3: await s3As("team"), codeBucket: bucket });
  const file = join(folder, "code.tar.gz");
  await writeFile(file, "code");
  expect((await store.putCode({ team: "team", file })).sent).toBe(true);
  expect((await store.putCode({ team: "team", file })).sent).toBe(false);
});
