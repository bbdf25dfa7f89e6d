import { describe, expect, it, test } from "vitest";
import { assumedRole } from "../../../lib/local/access/assumed-role.ts";
import type { ResourceFacts } from "../../../lib/local/access/calls/facts.ts";
import { decrypting } from "../../../lib/local/access/calls/s3.ts";
import { describeCalls } from "../../../lib/local/access/calls/services.ts";
import type { HttpCall } from "../../../lib/local/requests/http.ts";

const account = "123456789012";
const keyArn = `arn:aws:kms:us-east-1:${account}:key/k1`;
const facts: ResourceFacts = {
  account,
  region: "us-east-1",
  key: (name) => (name === "alias/team" || name === "k1" || name === keyArn ? { arn: keyArn, tags: { team: "vision" } } : undefined),
  template: (name) =>
    name === "lt-1" || name === "gpu"
      ? {
          id: "lt-1",
          name: "gpu",
          roleArn: `arn:aws:iam::${account}:role/node`,
          securityGroups: ["sg-1"],
          imageParameter: "/aws/service/ami",
          tags: ["instance", "volume"],
        }
      : undefined,
  instanceTags: (id) => (id === "i-1" ? { "fleetwright:name": "fleetwright" } : {}),
};

const call = (over: Partial<Omit<HttpCall, "body">> & { body?: string | object } = {}): HttpCall => {
  const { body = "", ...rest } = over;
  return { method: "POST", path: "/", headers: {}, ...rest, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
};
const json = (target: string, body: object) => call({ headers: { "x-amz-target": target }, body });
const asked = (service: string, of: HttpCall) =>
  describeCalls(service)(of, facts).map(({ action, resource }) => `${action} ${resource.replaceAll(account, "A")}`);
const s3 = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) => call({ method, path, headers });

const table = "arn:aws:dynamodb:us-east-1:A:table/t";
const queue = "arn:aws:sqs:us-east-1:A:q";
const group = "arn:aws:logs:us-east-1:A:log-group:/g:log-stream:";

describe("what calls ask for", () => {
  test.each<[string, HttpCall, readonly string[]]>([
    ["dynamodb", json("D.GetItem", { TableName: "t" }), [`dynamodb:GetItem ${table}`]],
    ["dynamodb", json("D.Query", { TableName: "t", IndexName: "byTeam" }), [`dynamodb:Query ${table}/index/byTeam`]],
    ["dynamodb", json("D.BatchGetItem", { RequestItems: { t: {} } }), [`dynamodb:BatchGetItem ${table}`]],
    [
      "dynamodb",
      json("D.TransactWriteItems", {
        TransactItems: [{ Put: { TableName: "t" } }, { ConditionCheck: { TableName: "t" } }, { Put: { TableName: "t" } }],
      }),
      [`dynamodb:PutItem ${table}`, `dynamodb:ConditionCheckItem ${table}`],
    ],
    ["dynamodb", json("D.ListTables", {}), ["dynamodb:ListTables *"]],
    ["dynamodb", call({ headers: { "x-amz-target": "D.GetItem" }, body: "no JSON" }), ["dynamodb:GetItem *"]],
    ["sqs", json("S.SendMessage", { QueueUrl: "http://127.0.0.1:1/123456789012/q" }), [`sqs:SendMessage ${queue}`]],
    ["sqs", json("S.DeleteMessageBatch", { QueueUrl: "http://127.0.0.1:1/123456789012/q" }), [`sqs:DeleteMessage ${queue}`]],
    ["sqs", json("S.GetQueueUrl", { QueueName: "q" }), [`sqs:GetQueueUrl ${queue}`]],
    ["kms", json("T.Decrypt", { KeyId: "alias/team" }), ["kms:Decrypt arn:aws:kms:us-east-1:A:key/k1"]],
    ["kms", json("T.Decrypt", { KeyId: "unknown" }), ["kms:Decrypt unknown"]],
    ["kms", json("T.Decrypt", {}), ["kms:Decrypt *"]],
    ["ssm", json("A.GetParameter", { Name: "/fleet/x" }), ["ssm:GetParameter arn:aws:ssm:us-east-1:A:parameter/fleet/x"]],
    ["ssm", json("A.GetParameters", { Names: ["/aws/service/x"] }), ["ssm:GetParameters arn:aws:ssm:us-east-1::parameter/aws/service/x"]],
    ["logs", json("L.PutLogEvents", { logGroupName: "/g", logStreamName: "s" }), [`logs:PutLogEvents ${group}s`]],
    ["logs", json("L.CreateLogStream", { logGroupName: "/g", logStreamName: "s" }), [`logs:CreateLogStream ${group}`]],
    ["pricing", json("P.GetProducts", {}), ["pricing:GetProducts *"]],
    [
      "events",
      json("E.PutEvents", { Entries: [{ EventBusName: "b" }, {}] }),
      ["events:PutEvents arn:aws:events:us-east-1:A:event-bus/b", "events:PutEvents arn:aws:events:us-east-1:A:event-bus/default"],
    ],
    ["monitoring", call({ path: "/service/GraniteServiceVersion20100801/operation/PutMetricData" }), ["cloudwatch:PutMetricData *"]],
    ["monitoring", call({ body: "Action=PutMetricData" }), ["cloudwatch:PutMetricData *"]],
    ["sts", call({ body: "Action=GetCallerIdentity" }), []],
    ["sts", call({ body: "Action=AssumeRole&RoleArn=arn:r" }), ["sts:AssumeRole arn:r"]],
    [
      "sts",
      call({ body: "Action=AssumeRole&RoleArn=arn:r&Tags.member.1.Key=team&Tags.member.1.Value=a" }),
      ["sts:AssumeRole arn:r", "sts:TagSession arn:r"],
    ],
    ["sts", call({ body: "Action=GetSessionToken" }), ["sts:GetSessionToken *"]],
    ["ec2", call({ body: "Action=DescribeInstances" }), ["ec2:DescribeInstances *"]],
    ["glacier", json("G.ListVaults", {}), ["glacier:ListVaults *"]],
  ])("a call of %s asks for what the service's documentation names", (service, of, expected) => {
    expect(asked(service, of)).toEqual(expected);
  });

  test.each<[string, string, readonly string[]]>([
    ["GET", "/b/a%20b/c?x-id=GetObject", ["s3:GetObject arn:aws:s3:::b/a b/c"]],
    ["HEAD", "/b/k", ["s3:GetObject arn:aws:s3:::b/k"]],
    ["GET", "/b/k?versionId=1", ["s3:GetObjectVersion arn:aws:s3:::b/k"]],
    ["PUT", "/b/k", ["s3:PutObject arn:aws:s3:::b/k"]],
    ["PUT", "/b/k?partNumber=1&uploadId=u", ["s3:PutObject arn:aws:s3:::b/k"]],
    ["POST", "/b/k?uploads", ["s3:PutObject arn:aws:s3:::b/k"]],
    ["POST", "/b/k?uploadId=u", ["s3:PutObject arn:aws:s3:::b/k"]],
    ["DELETE", "/b/k?uploadId=u", ["s3:AbortMultipartUpload arn:aws:s3:::b/k"]],
    ["DELETE", "/b/k", ["s3:DeleteObject arn:aws:s3:::b/k"]],
    ["GET", "/b/k?uploadId=u", ["s3:ListMultipartUploadParts arn:aws:s3:::b/k"]],
    ["GET", "/b?list-type=2&prefix=p%2F", ["s3:ListBucket arn:aws:s3:::b"]],
    ["HEAD", "/b", ["s3:ListBucket arn:aws:s3:::b"]],
    ["GET", "/b/?versions", ["s3:ListBucketVersions arn:aws:s3:::b"]],
    ["GET", "/b?uploads", ["s3:ListBucketMultipartUploads arn:aws:s3:::b"]],
    ["GET", "/b?location", ["s3:GetBucketLocation arn:aws:s3:::b"]],
    ["PUT", "/b", ["s3:CreateBucket arn:aws:s3:::b"]],
    ["PUT", "/b?policy", ["s3:PUTBucket *"]],
    ["GET", "/b?notification", ["s3:GETBucket *"]],
    ["GET", "/b/k?attributes", ["s3:GETObject *"]],
    ["GET", "/b/k?tagging", ["s3:GetObjectTagging arn:aws:s3:::b/k"]],
    ["DELETE", "/b", ["s3:DeleteBucket arn:aws:s3:::b"]],
    ["GET", "/", ["s3:ListAllMyBuckets *"]],
  ])("S3's %s %s asks for %j", (method, path, expected) => {
    expect(asked("s3", s3(method, path))).toEqual(expected);
  });

  it("the deletion of several objects asks for each, by its unescaped key", () => {
    const body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>";
    expect(asked("s3", call({ path: "/b?delete", body }))).toEqual([
      "s3:DeleteObject arn:aws:s3:::b/a&b",
      "s3:DeleteObject arn:aws:s3:::b/c",
    ]);
  });

  it("a copy reads its source", () => {
    expect(asked("s3", s3("PUT", "/b/k", { "x-amz-copy-source": "/from/a%20b?versionId=1" }))).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      "s3:GetObjectVersion arn:aws:s3:::from/a b",
    ]);
  });

  it("a list has its prefix as a condition key, and a read of an object has none", () => {
    expect(describeCalls("s3")(s3("GET", "/b?list-type=2&prefix=p%2F"), facts)[0]?.context).toEqual({ "s3:prefix": ["p/"] });
    expect(describeCalls("s3")(s3("GET", "/b?list-type=2"), facts)[0]?.context).toEqual({});
  });
});

describe("the use of keys for objects", () => {
  const headers = { "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "alias/team" };
  const viaS3 = { "kms:viaservice": ["s3.us-east-1.amazonaws.com"], "aws:resourcetag/team": ["vision"] };

  it("an object that names a key needs a data key of it, through S3, for exactly this object", () => {
    const [put, use, ...others] = describeCalls("s3")(s3("PUT", "/b/k", headers), facts);
    expect(put?.context).toEqual({
      "s3:x-amz-server-side-encryption": ["aws:kms"],
      "s3:x-amz-server-side-encryption-aws-kms-key-id": ["alias/team"],
    });
    expect(use).toEqual({
      action: "kms:GenerateDataKey",
      resource: keyArn,
      context: { ...viaS3, "kms:encryptioncontext:aws:s3:arn": ["arn:aws:s3:::b/k"] },
    });
    expect(others).toEqual([]);
  });

  it("the beginning of a multipart upload needs to decrypt, too, and its parts need nothing of the key", () => {
    const key = "arn:aws:kms:us-east-1:A:key/k1";
    expect(asked("s3", s3("POST", "/b/k?uploads", headers))).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      `kms:GenerateDataKey ${key}`,
      `kms:Decrypt ${key}`,
    ]);
    expect(asked("s3", s3("PUT", "/b/k?partNumber=1&uploadId=u"))).toHaveLength(1);
  });

  it("a read needs to decrypt, and a look at an object does only if it asks for the checksum", () => {
    const needs = (of: HttpCall) => decrypting(of, "k1", facts).map(({ action }) => action);
    expect(needs(s3("GET", "/b/k"))).toEqual(["kms:Decrypt"]);
    expect(needs(s3("HEAD", "/b/k"))).toEqual([]);
    expect(needs(s3("HEAD", "/b/k", { "x-amz-checksum-mode": "ENABLED" }))).toEqual(["kms:Decrypt"]);
    expect(needs(s3("PUT", "/b/k"))).toEqual([]);
  });

  it("a direct use of a key has its encryption context, and no service between", () => {
    const of = json("T.GenerateDataKey", { KeyId: "k1", EncryptionContext: { Purpose: "outbox" } });
    expect(describeCalls("kms")(of, facts)[0]?.context).toEqual({
      "kms:encryptioncontext:purpose": ["outbox"],
      "aws:resourcetag/team": ["vision"],
    });
  });
});

describe("launches and ends", () => {
  const form = (over: Record<string, string> = {}) =>
    call({
      body: new URLSearchParams({
        Action: "CreateFleet",
        Type: "instant",
        "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId": "lt-1",
        "LaunchTemplateConfigs.1.Overrides.1.InstanceType": "g5.xlarge",
        "LaunchTemplateConfigs.1.Overrides.1.SubnetId": "subnet-1",
        "TargetCapacitySpecification.TotalTargetCapacity": "1",
        "TagSpecification.1.ResourceType": "instance",
        "TagSpecification.1.Tag.1.Key": "fleetwright:name",
        "TagSpecification.1.Tag.1.Value": "fleetwright",
        ...over,
      }).toString(),
    });
  const spot = { "TargetCapacitySpecification.DefaultTargetCapacityType": "spot" };

  it("a launch asks for all that it names or makes, for its tags, its role and the parameter of its image", () => {
    const onDemand = asked("ec2", form());
    expect(onDemand).toMatchSnapshot();
    const added = asked("ec2", form(spot)).filter((each) => !onDemand.includes(each));
    expect(added).toEqual(
      ["CreateFleet", "RunInstances"].map((action) => `ec2:${action} arn:aws:ec2:us-east-1:A:spot-instances-request/*`),
    );
  });

  it("what a launch makes is asked for with its template, and its tags with the action that makes it", () => {
    const requests = describeCalls("ec2")(form(), facts);
    const launched = requests.find(({ action, resource }) => action === "ec2:RunInstances" && resource.endsWith(":instance/*"));
    expect(launched?.context["ec2:launchtemplate"]).toEqual([`arn:aws:ec2:us-east-1:${account}:launch-template/lt-1`]);
    expect(requests.find(({ action }) => action === "ec2:CreateTags")?.context["ec2:createaction"]).toEqual(["RunInstances"]);
    expect(requests.find(({ action }) => action === "iam:PassRole")?.context).toEqual({ "iam:passedtoservice": ["ec2.amazonaws.com"] });
  });

  it("a template that is unknown or encrypts with a customer's key asks for what it names", () => {
    const other = { "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId": "lt-9" };
    expect(asked("ec2", form(other))).toContain("ec2:RunInstances arn:aws:ec2:us-east-1:A:launch-template/lt-9");
    const withKey = { ...facts, template: () => ({ id: "lt-1", name: "gpu", securityGroups: [], tags: [], volumeKey: "arn:volume-key" }) };
    const uses = describeCalls("ec2")(form(), withKey).filter(({ resource }) => resource === "arn:volume-key");
    expect(uses.map(({ action, context }) => [action, context["kms:grantisforawsresource"]?.[0]])).toEqual([
      ["kms:DescribeKey", undefined],
      ["kms:GenerateDataKeyWithoutPlaintext", undefined],
      ["kms:CreateGrant", "true"],
    ]);
  });

  it("the end of instances asks for each, with the tags that it has", () => {
    const of = call({ body: "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.2=i-2" });
    expect(describeCalls("ec2")(of, facts)).toEqual([
      {
        action: "ec2:TerminateInstances",
        resource: `arn:aws:ec2:us-east-1:${account}:instance/i-1`,
        context: { "aws:resourcetag/fleetwright:name": ["fleetwright"] },
      },
      { action: "ec2:TerminateInstances", resource: `arn:aws:ec2:us-east-1:${account}:instance/i-2`, context: {} },
    ]);
  });
});

describe("a role that MiniStack lets a caller assume", () => {
  const request = (over: object = {}) =>
    call({
      body: new URLSearchParams({
        Action: "AssumeRole",
        RoleArn: "arn:aws:iam::0:role/path/team",
        RoleSessionName: "s",
        ...over,
      }).toString(),
    });
  const response = (Expiration = "2026-01-01T00:00:00Z", key = "ASIA1") =>
    `<R><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${Expiration}</Expiration></R>`;

  it("the credentials belong to the role, without its path, and to the session with its tags and policy", () => {
    expect(assumedRole(request(), response())).toEqual({
      principal: { role: "team", session: "s", tags: {} },
      credentials: { accessKeyId: "ASIA1", secretAccessKey: "s", sessionToken: "t", expiresAtMs: Date.UTC(2026, 0, 1) },
    });
    const tagged = request({
      "Tags.member.1.Key": "team",
      "Tags.member.1.Value": "a",
      "Tags.member.2.Key": "job",
      "Tags.member.2.Value": "",
      Policy: "{}",
    });
    expect(assumedRole(tagged, response())?.principal).toEqual({ role: "team", session: "s", tags: { team: "a", job: "" }, policy: "{}" });
  });

  it.each([
    ["another action", request({ Action: "GetCallerIdentity" }), response()],
    ["no role", request({ RoleArn: "arn:aws:iam::0:user/u" }), response()],
    ["a response without a key", request(), response(undefined, "")],
    ["a response without an end", request(), response("soon")],
  ])("no credentials are known after %s", (_, of, given) => {
    expect(assumedRole(of, given)).toBeUndefined();
  });
});

describe("calls that are not understood", () => {
  const everything = (service: string, of: HttpCall) => asked(service, of).every((each) => each.endsWith(" *"));

  test.each<[string, HttpCall]>([
    ["dynamodb", json("D.Scan", { TableName: 7, RequestItems: {} })],
    ["dynamodb", json("D.TransactWriteItems", { TransactItems: [{ Update: null }] })],
    ["dynamodb", call({ headers: { "x-amz-target": "D.TransactWriteItems" }, body: "\ufeff{}" })],
    ["sqs", json("S.SendMessage", { QueueName: "mine", QueueUrl: `http://h/${account}/other?/mine` })],
    ["sqs", json("S.SendMessage", { QueueName: "mine" })],
    ["ec2", call({ body: "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.x=i-2" })],
    ["logs", json("L.GetLogEvents", { logGroupName: "/mine", logGroupIdentifier: "/other" })],
    ["sts", call({ body: "Action=AssumeRole&RoleArn=arn:r&PolicyArns.member.1.arn=p" })],
  ])("a call of %s that is not understood needs a right to everything", (service, of) => {
    expect(asked(service, of).length).toBeGreaterThan(0);
    expect(everything(service, of)).toBe(true);
  });

  test.each([
    "<Delete><Object><Key >a</Key ></Object></Delete>",
    "<Delete><Object><Key><![CDATA[a]]></Key></Object></Delete>",
    "<Delete><!-- --><Object><Key>a</Key></Object></Delete>",
    "<Delete></Delete>",
    "",
  ])("a deletion of several objects in another form than AWS's clients send needs a right to everything: %s", (body) => {
    expect(asked("s3", call({ path: "/b?%64elete", body }))).toEqual(["s3:DeleteObject *"]);
  });

  it("a version in such a deletion needs the right to delete versions", () => {
    const body = "<Delete><Object><Key>a</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>";
    expect(asked("s3", call({ path: "/b?delete=", body }))).toEqual(["s3:DeleteObjectVersion arn:aws:s3:::b/a"]);
  });

  it("headers that carry tags, lists of access or locks need rights of their own, also in the query of a presigned URL", () => {
    expect(asked("s3", s3("PUT", "/b/k?X-Amz-Signature=0&x-amz-acl=private", { "x-amz-tagging": "a=b" }))).toEqual([
      "s3:PutObject arn:aws:s3:::b/k",
      "s3:PutObjectTagging arn:aws:s3:::b/k",
      "s3:PutObjectAcl arn:aws:s3:::b/k",
    ]);
  });
});
