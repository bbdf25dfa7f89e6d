import { describe, expect, test } from "vitest";
import * as z from "zod";
import fleetConfig from "../../cdk/fleet.config.ts";
import { named, type Statement, Synthesized, textOf } from "./synthesized.ts";

const stack = new Synthesized();
const roleOf = (name: string): string => named(stack.functionNamed(name).properties["Role"]);
const jobRole = named(
  z.object({ Variables: z.object({ JOB_ROLE_ARN: z.unknown() }) }).parse(stack.functionNamed("node").properties["Environment"]).Variables
    .JOB_ROLE_ARN,
);
const instanceRole = named(z.array(z.unknown()).parse(stack.all("AWS::IAM::InstanceProfile")[0]?.properties["Roles"])[0]);
const incomingBucket = named(
  z.object({ Variables: z.object({ INCOMING_BUCKET: z.unknown() }) }).parse(stack.functionNamed("node").properties["Environment"]).Variables
    .INCOMING_BUCKET,
);
const readsOnly = (action: string): boolean => /:(Describe|Get|List|Query|BatchGet|Search)/.test(action);

describe("permissions", () => {
  test("no role has an AWS managed policy or an inline policy", () => {
    for (const { properties } of stack.all("AWS::IAM::Role")) {
      expect(properties["ManagedPolicyArns"]).toBeUndefined();
      expect(properties["Policies"]).toBeUndefined();
    }
  });

  test("no policy allows a wildcard in actions", () => {
    const all = stack.statements();
    expect(all.length).toBeGreaterThan(25);
    expect(all.filter(({ statement }) => statement.Action.some((action) => action.includes("*")))).toEqual([]);
  });

  test("only reads that do not support resources are allowed on all resources", () => {
    const everywhere = stack.statements().filter(({ statement }) => statement.Resource?.includes("*"));
    expect(everywhere.flatMap(({ statement }) => statement.Action).toSorted()).toEqual(
      [
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstances",
        "ec2:DescribeInstances",
        "ec2:DescribeInstances",
        "ec2:DescribeSpotPriceHistory",
        "pricing:GetProducts",
      ].toSorted(),
    );
    expect(everywhere.flatMap(({ statement }) => statement.Action).every(readsOnly)).toBe(true);
  });

  test("place may read the image's parameter with both SSM calls, and no other parameter", () => {
    const read = stack.statements().filter(({ statement }) => statement.Sid === "ReadImage");
    expect(read.map(({ statement }) => statement.Action)).toEqual([["ssm:GetParameter", "ssm:GetParameters"]]);
    expect(
      read.flatMap(({ statement }) => statement.Resource?.map(textOf) ?? []).every((arn) => /parameter\/aws\/service\//.test(arn)),
    ).toBe(true);
  });

  test("every write to a kind of EC2 resource is limited by a template, a tag or the creating call", () => {
    const kinds = stack
      .statements()
      .filter(({ statement }) => statement.Resource?.some((resource) => /:ec2:.*\/\*$/.test(textOf(resource))));
    expect(kinds.map(({ statement }) => statement.Sid).toSorted()).toEqual([
      "AskForFleets",
      "EndOurs",
      "EndOurs",
      "EndOurs",
      "LaunchByTemplate",
      "LaunchInto",
      "TagAtLaunch",
    ]);
    const bounds = kinds.map(({ statement }) => [statement.Sid, Object.keys(Object.values(statement.Condition ?? {})[0] ?? {})]);
    expect(Object.fromEntries(bounds)).toEqual({
      AskForFleets: [],
      EndOurs: ["aws:ResourceTag/fleetwright:name"],
      LaunchByTemplate: ["ec2:LaunchTemplate"],
      // Only of spot requests, which start nothing without an instance.
      LaunchInto: [],
      TagAtLaunch: ["ec2:CreateAction"],
    });
    const into = kinds.find(({ statement }) => statement.Sid === "LaunchInto")?.statement.Resource?.map(textOf) ?? [];
    expect(into.filter((resource) => resource.endsWith("/*"))).toEqual([expect.stringMatching(/:spot-instances-request\/\*$/)]);
    // A fleet cannot be created without a launch template, and only this stack's own template is allowed.
    const fleets = kinds.find(({ statement }) => statement.Sid === "AskForFleets")?.statement.Resource ?? [];
    const templates = fleets.filter((resource) => textOf(resource).includes(":launch-template/"));
    expect(templates).toHaveLength(1);
    expect(JSON.stringify(templates)).toContain(JSON.stringify({ Ref: stack.all("AWS::EC2::LaunchTemplate")[0]?.id }));
  });

  test("only the API, which decides nothing, may read the table's index", () => {
    const onTable = stack.statements().filter(({ statement }) => statement.Action.some((action) => action.startsWith("dynamodb:")));
    const isIndex = ({ statement }: (typeof onTable)[number]): boolean =>
      statement.Resource?.some((resource) => textOf(resource).includes("/index/")) ?? false;
    expect(onTable.filter(isIndex).map(({ statement }) => statement)).toEqual(
      stack.statementsOf(roleOf("api")).filter((statement) => statement.Sid === "TeamsJobs"),
    );
    const tables = onTable.filter((each) => !isIndex(each)).flatMap(({ statement }) => statement.Resource ?? []);
    expect(tables.length).toBeGreaterThan(0);
    expect(new Set(tables.map((resource) => JSON.stringify(resource))).size).toBe(1);
  });

  describe("a team's role", () => {
    const role = stack.teamRole("vision");
    const may = stack.statementsOf(role.id);

    test("every team has a role that only principals of the account can assume", () => {
      for (const team of fleetConfig.teams) {
        const { properties } = stack.teamRole(team);
        expect(JSON.stringify(properties["AssumeRolePolicyDocument"])).toContain(":root");
      }
    });

    test("a team's role names no other team", () => {
      expect(JSON.stringify(may)).toContain("vision");
      expect(JSON.stringify(may)).not.toContain("research");
    });

    test("a team's role may use the services of the fleet command, but not the table, instances or roles", () => {
      const services = new Set(may.flatMap((statement) => statement.Action.map((action) => action.split(":")[0])));
      expect([...services].toSorted()).toEqual(["kms", "lambda", "s3", "sqs", "ssm"]);
    });
  });

  test("seal-artifact may read only the lists in the artifacts bucket", () => {
    const bucket = stack.functionNamed("seal-artifact").properties["Environment"];
    const name = z.object({ Variables: z.object({ ARTIFACTS_BUCKET: z.unknown() }) }).parse(bucket).Variables.ARTIFACTS_BUCKET;
    const reads = stack.statementsOf(roleOf("seal-artifact")).filter(({ Action }) => Action.includes("s3:GetObject"));
    const resources = reads.flatMap(({ Resource }) => Resource ?? []).map((resource) => JSON.stringify(resource));
    const sealed = resources.filter((resource) => resource.includes(named(name)));
    expect(sealed).toHaveLength(1);
    expect(sealed[0]).toContain('"/*/manifest.json.sealed"');
  });

  test("an instance may call node through its URL, write below its own user id in the incoming bucket, and do nothing else", () => {
    const resource = [{ "Fn::GetAtt": [stack.functionNamed("node").id, "Arn"] }];
    expect(stack.statementsOf(instanceRole)).toEqual([
      {
        Effect: "Allow",
        Action: ["lambda:InvokeFunctionUrl"],
        Resource: resource,
        Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } },
      },
      {
        Effect: "Allow",
        Action: ["lambda:InvokeFunction"],
        Resource: resource,
        Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
      },
      {
        Sid: "Outbox",
        Effect: "Allow",
        Action: ["s3:PutObject"],
        Resource: [{ "Fn::Join": ["", [{ "Fn::GetAtt": [incomingBucket, "Arn"] }, `/islands/\${aws:userid}/*`]] }],
      },
    ]);
  });

  test("node may only generate data keys under the teams' keys, and only for outboxes", () => {
    const may = stack.statementsOf(roleOf("node")).filter(({ Action }) => Action.some((action) => action.startsWith("kms:")));
    expect(may).toMatchObject([
      { Action: ["kms:GenerateDataKey"], Condition: { StringEquals: { "kms:EncryptionContext:purpose": "outbox" } } },
    ]);
    expect(may[0]?.Resource).toHaveLength(fleetConfig.teams.length);
  });

  test("take-outbox reads only outboxes, uploads only for teams, and uses teams' keys only for outboxes and through S3", () => {
    const may = stack.statementsOf(roleOf("take-outbox"));
    const of = (sid: string) => may.find(({ Sid }) => Sid === sid);
    const inBucket = (path: string) => ({ "Fn::Join": ["", [{ "Fn::GetAtt": [incomingBucket, "Arn"] }, path]] });
    expect(of("ReadOutboxes")).toMatchObject({ Action: ["s3:GetObject"], Resource: [inBucket("/islands/*")] });
    expect(of("Upload")?.Resource).toEqual(fleetConfig.teams.map((team) => inBucket(`/${team}/*`)));
    const keyed = may.filter(({ Action }) => Action.includes("kms:Decrypt"));
    expect(keyed.map(({ Condition }) => Object.keys(Condition?.["StringEquals"] ?? {}))).toEqual([
      ["kms:EncryptionContext:purpose"],
      ["kms:ViaService"],
    ]);
    expect(
      may
        .flatMap(({ Action }) => Action)
        .filter((action) => action.startsWith("s3:"))
        .toSorted(),
    ).toEqual(["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]);
  });

  test("tick may list outboxes, but read none, and list nothing else in the incoming bucket", () => {
    const may = stack.statementsOf(roleOf("tick")).filter(({ Action }) => Action.some((action) => action.startsWith("s3:")));
    expect(may).toEqual([
      {
        Sid: "FindOutboxes",
        Effect: "Allow",
        Action: ["s3:ListBucket"],
        Resource: [{ "Fn::GetAtt": [incomingBucket, "Arn"] }],
        Condition: { StringLike: { "s3:prefix": "islands/*" } },
      },
    ]);
  });

  test("every upload must name a KMS key, except outboxes, which their nodes have encrypted", () => {
    const refusals = stack
      .all("AWS::S3::BucketPolicy")
      .flatMap(
        ({ properties }) =>
          z.object({ Statement: z.array(z.looseObject({ Sid: z.string().optional() })) }).parse(properties["PolicyDocument"]).Statement,
      )
      .filter(({ Sid }) => Sid === "RequireKms" || Sid === "RequireNamedKey");
    expect(refusals).toHaveLength(2);
    for (const { Action, Effect, NotResource, Resource } of refusals) {
      expect([Action, Effect, Resource]).toEqual(["s3:PutObject", "Deny", undefined]);
      expect(NotResource).toEqual({ "Fn::Join": ["", [{ "Fn::GetAtt": [incomingBucket, "Arn"] }, "/islands/*"]] });
    }
  });

  test("only place may pass the instance role to instances, and it may pass no other role", () => {
    const passes = stack.statements().filter(({ statement }) => statement.Action.includes("iam:PassRole"));
    expect(passes.map(({ statement }) => statement.Resource)).toEqual([[{ "Fn::GetAtt": [instanceRole, "Arn"] }]]);
    expect(stack.statementsOf(roleOf("place")).some((statement) => statement.Action.includes("iam:PassRole"))).toBe(true);
  });

  test("only node may assume the job role, and only with all three tags", () => {
    const trustPolicy = stack.all("AWS::IAM::Role").find(({ id }) => id === jobRole)?.properties["AssumeRolePolicyDocument"];
    const text = JSON.stringify(trustPolicy);
    const principal = { "Fn::GetAtt": [roleOf("node"), "Arn"] };
    const trust = z
      .object({ Statement: z.array(z.object({ Principal: z.object({ AWS: z.unknown() }), Condition: z.unknown() })) })
      .parse(trustPolicy).Statement;
    for (const each of trust) expect(each.Principal.AWS).toEqual(principal);
    expect(text).toContain("sts:TagSession");
    for (const tag of ["team", "job", "attempt"]) expect(text).toContain(`"aws:RequestTag/${tag}":"?*"`);
  });

  test("a job may use its own attempt's uploads and its team's code, data, key and log, and nothing else", () => {
    const may = stack.statementsOf(jobRole);
    const on = (sid: string): string[] => (may.find((statement) => statement.Sid === sid)?.Resource ?? []).map(textOf);
    expect(may.map((statement) => [statement.Sid, statement.Action])).toEqual([
      ["Upload", ["s3:AbortMultipartUpload", "s3:PutObject"]],
      ["Code", ["s3:GetObject"]],
      ["Data", ["s3:GetObject"]],
      ["TeamKey", ["kms:Decrypt", "kms:GenerateDataKey"]],
      ["Logs", ["logs:CreateLogStream", "logs:PutLogEvents"]],
    ]);
    expect(on("Upload")).toEqual([`…/${tag("team")}/${tag("job")}/${tag("attempt")}/*`]);
    expect(on("Code")).toEqual([`…/${tag("team")}/*`]);
    expect(on("Data")).toEqual([`…/${tag("team")}/*`, `…/_fleetwright/${tag("team")}/*`]);
    expect(on("Logs")[0]).toMatch(/log-group:\/fleetwright\/fleetwright\/\$\{aws:PrincipalTag\/team\}:\*$/);
    expect(conditionOf(may, "TeamKey")["aws:ResourceTag/team"]).toBe(tag("team"));
  });

  test("jobs may read and rebalance-shards may list the buckets that the admin lists, and no others", () => {
    const listing = new Synthesized({ ...fleetConfig, dataBuckets: ["scans"] });
    const reads = listing.statements().filter(({ statement }) => JSON.stringify(statement.Resource ?? []).includes(":s3:::scans"));
    expect(reads.map(({ statement }) => [statement.Sid, statement.Action]).toSorted()).toEqual([
      ["ListSources", ["s3:ListBucket"]],
      ["OwnData", ["s3:GetObject"]],
    ]);
    for (const { statement } of reads)
      expect(statement.Condition, "another account may own a bucket of that name").toEqual({
        StringEquals: { "aws:ResourceAccount": { Ref: "AWS::AccountId" } },
      });
    expect(JSON.stringify(stack.statements())).not.toContain(":s3:::scans");
  });

  test("rebalance-shards may list data but not read it, and may write only its own records", () => {
    const may = stack.statementsOf(roleOf("rebalance-shards"));
    const objects = may.filter((statement) => statement.Action.some((action) => /^s3:(Get|Put|Delete)Object$/.test(action)));
    expect(objects.map((statement) => [statement.Sid, statement.Action, statement.Resource?.map(textOf)])).toEqual([
      ["KeepLists", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], ["…/_fleetwright/*"]],
    ]);
    expect(may.filter((statement) => statement.Sid === "ListSources").map((statement) => statement.Resource?.length)).toEqual([1]);
  });

  test("node may read exactly the worker's two files", () => {
    const reads = stack.statementsOf(roleOf("node")).filter((statement) => statement.Action.includes("s3:GetObject"));
    expect(reads).toHaveLength(1);
    expect(reads[0]?.Resource).toHaveLength(2);
    for (const resource of reads[0]?.Resource ?? []) expect(textOf(resource)).not.toContain("*");
  });
});

const tag = (name: string): string => `\${aws:PrincipalTag/${name}}`;
const conditionOf = (statements: readonly Statement[], sid: string): Record<string, unknown> =>
  statements.find((statement) => statement.Sid === sid)?.Condition?.["StringEquals"] ?? {};
