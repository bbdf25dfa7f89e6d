import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { s3CodeStore } from "../../lib/aws/artifacts/code.ts";
import { s3Client } from "../../lib/aws/clients/s3.ts";
import { stsClient } from "../../lib/aws/clients/sts.ts";
import { assumedRole } from "../../lib/local/access/assumed-role.ts";
import { emptyPolicyFacts } from "../../lib/local/access/policies.ts";
import { named, Statement } from "../../lib/local/access/policy/statement.ts";
import { createEndpoint, type Endpoint } from "../../lib/local/endpoint.ts";
import { createIdentities, wellKnown } from "../../lib/local/requests/identities.ts";
import { guardOf, testAccount } from "../fakes/guards.ts";
import { unique } from "./wire.ts";

/** The local cloud's endpoint of S3 and STS, with three roles: one may list the bucket, one may not, and one may below a prefix. */
const bucket = unique("rights");
const may = (Action: string, Resource: string, Condition: object = {}) => ({ Effect: "Allow", Action, Resource, Condition });
const read = [may("s3:GetObject", `arn:aws:s3:::${bucket}/*`), may("s3:PutObject", `arn:aws:s3:::${bucket}/team/*`)];
const list = (condition?: object) => may("s3:ListBucket", `arn:aws:s3:::${bucket}`, condition);
const roles: Readonly<Record<string, readonly object[]>> = {
  lister: [...read, list()],
  team: read,
  below: [...read, list({ StringLike: { "s3:prefix": ["team/*"] } })],
};
/** Everybody in the account whose policies allow it may assume the roles. */
const trust = named("trust", [
  Statement.parse({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: `arn:aws:iam::${testAccount}:root` } }),
]);

let endpoint: Endpoint;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rights-"));
  endpoint = await createEndpoint({ log: () => undefined, logFile: "cloud.log" });
  const identities = createIdentities();
  const policies = emptyPolicyFacts();
  for (const name of Object.keys(roles)) policies.roles.set(name, { name, trust, maxSeconds: 3600 });
  const guard = guardOf(roles, { policies, identities });
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
    guard,
    sessions: (call, response) => {
      const assumed = assumedRole(call, response);
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

test("a role may do only what its policies allow, and the refusal says what is missing", async () => {
  const s3 = await s3As("team");
  const elsewhere = { Bucket: bucket, Key: "other/file" };
  await expect(s3.send(new PutObjectCommand({ ...elsewhere, Body: "x" }))).rejects.toMatchObject({
    name: "AccessDenied",
    message: expect.stringContaining("no identity-based policy allows the s3:PutObject action"),
  });
  await expect(s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [elsewhere] } }))).rejects.toMatchObject({
    name: "AccessDenied",
  });
});

test("a role that does not exist, or a session longer than its role allows, is refused", async () => {
  const { accessKeyId, secretAccessKey } = wellKnown;
  const sts = stsClient(settings({ accessKeyId, secretAccessKey }));
  const assume = (name: string, DurationSeconds?: number) =>
    sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${testAccount}:role/${name}`, RoleSessionName: "test", DurationSeconds }));
  await expect(assume("absent")).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(assume("team", 7200)).rejects.toMatchObject({
    name: "ValidationError",
    message: expect.stringContaining("MaxSessionDuration"),
  });
});

test("credentials that were never issued, or whose session token is wrong, are refused", async () => {
  const unknown = s3Client(settings({ accessKeyId: "AKIAUNKNOWN", secretAccessKey: "s" }));
  await expect(unknown.send(new GetObjectCommand(absent))).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
  const stolen = s3Client(settings({ ...wellKnown, sessionToken: "wrong" }));
  await expect(stolen.send(new GetObjectCommand(absent))).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
});
