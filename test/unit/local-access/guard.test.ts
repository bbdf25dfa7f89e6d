import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { accessFile, createAccessLog, policiesFile } from "../../../lib/local/access/access-log.ts";
import type { JudgedAccess } from "../../../lib/local/access/guard.ts";
import { addStatements, emptyPolicyFacts } from "../../../lib/local/access/policies.ts";
import { named, Statement } from "../../../lib/local/access/policy/statement.ts";
import type { HttpCall } from "../../../lib/local/requests/http.ts";
import { administrator, createIdentities } from "../../../lib/local/requests/identities.ts";
import { guardOf, testAccount } from "../../fakes/guards.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";

const host = "127.0.0.1:4566";
const urlOf = (queue: string): string => `http://${host}/${testAccount}/${queue}`;
const send = (QueueUrl = urlOf("q")): HttpCall => ({
  method: "POST",
  path: "/",
  headers: { host, "x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0" },
  body: Buffer.from(JSON.stringify({ QueueUrl })),
});
const assume = (params: Readonly<Record<string, string>>): HttpCall => ({
  method: "POST",
  path: "/",
  headers: { host },
  body: Buffer.from(new URLSearchParams({ Action: "AssumeRole", RoleSessionName: "session", ...params }).toString()),
});
const may = (Action: string, Resource: string, more: object = {}) => ({ Effect: "Allow", Action, Resource, ...more });
const queueArn = `arn:aws:sqs:us-east-1:${testAccount}:q`;
const sender = { role: "sender", session: "s" };

describe("the guard", () => {
  it("a refusal has the form of its service and says who lacks what", () => {
    const guard = guardOf({ sender: [] });
    const refusal = guard.refuse("sqs", send(), sender);
    expect(refusal).toMatchObject({ status: 400, headers: { "x-amzn-errortype": "AccessDeniedException" } });
    expect(JSON.parse(String(refusal?.body))).toEqual({
      __type: "AccessDeniedException",
      message: `User: arn:aws:sts::${testAccount}:assumed-role/sender/s is not authorized to perform: sqs:SendMessage on resource: ${queueArn} because no identity-based policy allows the sqs:SendMessage action`,
    });
    const query = { ...send(), headers: { host } };
    const ec2 = guard.refuse("ec2", { ...query, body: Buffer.from("Action=DescribeInstances") }, sender);
    expect([ec2?.status, ec2?.body]).toEqual([403, expect.stringContaining("<Code>UnauthorizedOperation</Code>")]);
    const s3 = guard.refuse("s3", { ...query, method: "HEAD", path: "/b/k" }, sender);
    expect([s3?.status, s3?.body]).toEqual([403, ""]);
    expect(guard.refuse("sts", assume({ RoleArn: `arn:aws:iam::${testAccount}:role/r` }), sender)?.body).toContain(
      "<Code>AccessDenied</Code>",
    );
  });

  it("a call is allowed if all that it asks for is, and the administrator may do everything that no policy denies", () => {
    const guard = guardOf({ sender: [may("sqs:SendMessage", queueArn)] });
    expect(guard.refuse("sqs", send(), sender)).toBeUndefined();
    expect(guard.refuse("sqs", send(urlOf("other")), sender)).toBeDefined();
    expect(guard.refuse("sqs", send(urlOf("other")), administrator)).toBeUndefined();
    const policies = emptyPolicyFacts();
    const deny = {
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:*",
      Resource: queueArn,
      Condition: { Bool: { "aws:SecureTransport": "true" } },
    };
    addStatements(policies.resource, queueArn, named("queue", [Statement.parse(deny)]));
    expect(guardOf({}, { policies }).refuse("sqs", send(), administrator)?.body).toContain("explicit deny in queue/1");
  });

  it("a malformed call to EC2 is refused in EC2's own words, whoever makes it", () => {
    const malformed = { ...send(), headers: { host }, body: Buffer.from("Action=CreateFleet&Type=maintain") };
    expect(guardOf().refuse("ec2", malformed, administrator)?.body).toContain("<Code>InvalidParameterValue</Code>");
  });

  it("a call that names nothing needs a right to everything", () => {
    const guard = guardOf({ sender: [may("dynamodb:*", "arn:aws:dynamodb:*")] });
    const empty = (RequestItems: object) => ({
      ...send(),
      headers: { host, "x-amz-target": "DynamoDB_20120810.BatchGetItem" },
      body: Buffer.from(JSON.stringify({ RequestItems })),
    });
    expect(guard.refuse("dynamodb", empty({ t: {} }), sender)).toBeUndefined();
    expect(guard.refuse("dynamodb", empty({}), sender)).toBeDefined();
  });

  it("a role is assumed if its trust policy and the caller's policies allow it", () => {
    const policies = emptyPolicyFacts();
    const root = { AWS: `arn:aws:iam::${testAccount}:root` };
    const trusting = (Principal: object, maxSeconds = 3600) => ({
      name: "team",
      trust: named("team (trust)", [Statement.parse({ Effect: "Allow", Action: ["sts:AssumeRole", "sts:TagSession"], Principal })]),
      maxSeconds,
    });
    const roleArn = `arn:aws:iam::${testAccount}:role/team`;
    const guard = guardOf({ sender: [may("sts:AssumeRole", roleArn)] }, { policies });
    const call = assume({ RoleArn: roleArn });
    policies.roles.set("team", trusting(root));
    expect([guard.refuse("sts", call, sender), guard.refuse("sts", call, administrator)]).toEqual([undefined, undefined]);
    expect(guard.refuse("sts", call, { role: "other", session: "s" })?.body).toContain("no identity-based policy");
    expect(guard.refuse("sts", assume({ RoleArn: roleArn, "Tags.member.1.Key": "team" }), sender)?.body).toContain("sts:TagSession");
    policies.roles.set("team", trusting({ Service: "lambda.amazonaws.com" }));
    expect(guard.refuse("sts", call, administrator)?.body).toContain("no resource-based policy");
    expect(guard.isAllowed({ service: "lambda.amazonaws.com" }, { action: "sts:AssumeRole", resource: roleArn, context: {} })).toBe(true);
    policies.roles.set("team", trusting(root, 7200));
    const long = assume({ RoleArn: roleArn, DurationSeconds: "7200" });
    expect(guard.refuse("sts", long, administrator)).toBeUndefined();
    expect(guard.refuse("sts", long, sender)?.body).toContain("role chaining");
    expect(guard.refuse("sts", assume({ RoleArn: roleArn, DurationSeconds: "7201" }), administrator)?.body).toContain("MaxSessionDuration");
    for (const [params, code] of [
      [{ Policy: "{" }, "MalformedPolicyDocument"],
      [{ Policy: " ".repeat(2049) }, "MalformedPolicyDocument"],
      [
        {
          Policy: JSON.stringify({ Version: "2012-10-17", Statement: may("s3:*", "*", { Condition: { Bool: { "aws:SourceVpc": "v" } } }) }),
        },
        "aws:sourcevpc",
      ],
      [{ DurationSeconds: "60" }, "must be 900 or more"],
      [{ RoleSessionName: "a/b" }, "roleSessionName"],
    ] as const)
      expect(guard.refuse("sts", assume({ RoleArn: roleArn, ...params }), administrator)?.body).toContain(code);
    for (const other of [`arn:aws:iam::999999999999:role/team`, `arn:aws:iam::${testAccount}:role/path/team`])
      expect(guard.refuse("sts", assume({ RoleArn: other }), administrator)?.body).toContain("AccessDenied");
  });

  it("a session's tags and policy limit what its role may do", () => {
    const tagged = `arn:aws:sqs:us-east-1:*:\${aws:PrincipalTag/team}`;
    const guard = guardOf({ sender: [may("sqs:SendMessage", tagged)] });
    const as = (more: object) => guard.refuse("sqs", send(), { ...sender, ...more }) === undefined;
    expect([as({}), as({ tags: { team: "q" } }), as({ tags: { team: "other" } })]).toEqual([false, true, false]);
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: may("s3:*", "*") });
    expect(as({ tags: { team: "q" }, policy })).toBe(false);
  });

  it("credentials that are unknown, expired or of another session are refused", () => {
    const identities = createIdentities({ lifetimeMs: -1 });
    const guard = guardOf({}, { identities });
    const expired = identities.issue(sender);
    const how = (accessKeyId: string, sessionToken: string) => {
      const identified = guard.identify({ accessKeyId, service: "sqs", sessionToken }, send());
      return "principal" in identified ? identified.principal.role : identified.response.headers["x-amzn-errortype"];
    };
    expect(how("local", "")).toBe("administrator");
    expect(how("AKIA", "")).toBe("UnrecognizedClientException");
    expect(how("local", "token")).toBe("UnrecognizedClientException");
    expect(how(expired.accessKeyId, expired.sessionToken)).toBe("ExpiredTokenException");
  });
});

describe("the record of what was judged", () => {
  const judged = (over: Partial<JudgedAccess> = {}): JudgedAccess => ({
    ...{ who: "sender", action: "sqs:SendMessage", resource: queueArn, context: {} },
    verdict: { isAllowed: true, by: named("P", [Statement.parse(may("*", "*", { Sid: "S" }))])[0] },
    ...over,
  });

  it("each different question is kept once, refusals are logged, and each reason is explained once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "access-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const logged: Logged[] = [];
    const explained: string[] = [];
    const log = (line: Logged): void => {
      expectLine(line);
      logged.push(line);
    };
    const access = createAccessLog({ folder, log, explain: (line) => explained.push(line) });
    const policies = emptyPolicyFacts();
    policies.roles.set("r", { name: "r", trust: [], maxSeconds: 3600 });
    await access.begin(policies);
    access.note(judged());
    access.note(judged());
    access.note(judged({ resource: "other" }));
    access.note(judged({ action: "sqs:DeleteQueue", verdict: { isAllowed: false, lacks: "identity" } }));
    await access.close();
    const lines = (await readFile(join(folder, accessFile), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { who: "sender", action: "sqs:SendMessage", resource: queueArn, context: {}, isAllowed: true, by: "P/S" },
      { who: "sender", action: "sqs:SendMessage", resource: "other", context: {}, isAllowed: true, by: "P/S" },
      { who: "sender", action: "sqs:DeleteQueue", resource: queueArn, context: {}, isAllowed: false },
    ]);
    expect(JSON.parse(await readFile(join(folder, policiesFile), "utf8"))).toEqual({ identity: {}, resource: {}, trust: { r: [] } });
    expect(logged).toMatchObject([{ message: "access refused", who: "sender", action: "sqs:DeleteQueue" }]);
    expect(explained).toEqual([
      `sender: sqs:SendMessage on ${queueArn}: allowed by P/S`,
      `sender: sqs:DeleteQueue on ${queueArn}: refused, because no statement allows it`,
    ]);
  });
});
