import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import fleetConfig from "../../cdk/fleet.config.ts";
import { listedAttributes } from "../../lib/aws/table/items/job-item.ts";
import { named, Synthesized } from "./synthesized.ts";

const stack = new Synthesized();
const buckets = stack.all("AWS::S3::Bucket");
const bucket = (name: string) => buckets.find(({ id }) => id.startsWith(`Buckets${name}`)) ?? { id: "", properties: {} };

/** Kept when the stack is deleted, but not if the deployment that creates it fails. */
const kept = { DeletionPolicy: "RetainExceptOnCreate", UpdateReplacePolicy: "Retain" };

describe("storage", () => {
  test("the table is kept, backed up, encrypted and protected, and has one index for people", () => {
    stack.template.hasResource("AWS::DynamoDB::Table", kept);
    stack.template.hasResourceProperties("AWS::DynamoDB::Table", {
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        Match.objectLike({
          IndexName: "byTeam",
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: listedAttributes },
        }),
      ],
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
      SSESpecification: { SSEEnabled: true },
      DeletionProtectionEnabled: true,
    });
  });

  test("every bucket is encrypted, private, kept and reachable by TLS only", () => {
    expect(buckets).toHaveLength(6);
    const guarded = stack
      .all("AWS::S3::BucketPolicy")
      .filter(({ properties }) => JSON.stringify(properties).includes('"aws:SecureTransport":"false"'))
      .map(({ properties }) => named(properties["Bucket"]));
    for (const { id, properties } of buckets) {
      expect(properties["BucketEncryption"]).toBeDefined();
      expect(properties["PublicAccessBlockConfiguration"]).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(guarded).toContain(id);
    }
    stack.template.allResources("AWS::S3::Bucket", kept);
    stack.template.allResources("AWS::KMS::Key", kept);
  });

  test("uploads must name a KMS key, are deleted two days after the last dead letter about them could be, and trigger events", () => {
    const { id, properties } = bucket("Incoming");
    const letters = stack.one("AWS::SQS::Queue", "QueueName", "fleetwright-dead-seal").properties["MessageRetentionPeriod"];
    const days = Number(letters) / 86_400;
    expect(days).toBe(14);
    expect(properties).toMatchObject({
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" } }] },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: days + 2, Status: "Enabled" }] },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
    stack.template.hasResourceProperties("AWS::S3::BucketPolicy", {
      Bucket: { Ref: id },
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: "Deny",
            Action: "s3:PutObject",
            Condition: {
              StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" },
              // The parts of a multipart upload do not name the encryption that it began with.
              Null: { "s3:x-amz-server-side-encryption": "false" },
            },
          }),
          Match.objectLike({
            Effect: "Deny",
            Action: "s3:PutObject",
            Condition: {
              StringEquals: { "s3:x-amz-server-side-encryption": "aws:kms" },
              Null: { "s3:x-amz-server-side-encryption-aws-kms-key-id": "true" },
            },
          }),
        ]),
      },
    });
  });

  test("changes of data trigger events, and data is kept until someone deletes it", () => {
    expect(bucket("Datasets").properties).toMatchObject({
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LifecycleConfiguration: { Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }] },
    });
    expect(JSON.stringify(bucket("Datasets").properties["LifecycleConfiguration"])).not.toContain("Expiration");
  });

  test("decisions are kept for two weeks; artifacts and code have versions", () => {
    expect(bucket("Decisions").properties).toMatchObject({ LifecycleConfiguration: { Rules: [{ ExpirationInDays: 14 }] } });
    for (const name of ["Artifacts", "Code"])
      expect(bucket(name).properties).toMatchObject({ VersioningConfiguration: { Status: "Enabled" } });
  });

  test("artifacts expire only if the admin says so", () => {
    expect(JSON.stringify(bucket("Artifacts").properties)).not.toContain("ExpirationInDays");
    const kept = new Synthesized({ ...fleetConfig, artifactRetentionDays: 90 });
    const artifacts = kept.all("AWS::S3::Bucket").find(({ id }) => id.includes("Artifacts"));
    expect(artifacts?.properties).toMatchObject({
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90, NoncurrentVersionExpiration: { NoncurrentDays: 30 } }] },
    });
  });

  test("each team has a rotating key with its alias and its tag, and a log group under that key", () => {
    for (const team of ["research", "vision"]) {
      const alias = stack.one("AWS::KMS::Alias", "AliasName", `alias/fleetwright/${team}`);
      const key = named(alias.properties["TargetKeyId"]);
      const properties = stack.all("AWS::KMS::Key").find(({ id }) => id === key)?.properties;
      expect(properties).toMatchObject({ EnableKeyRotation: true, Tags: [{ Key: "team", Value: team }] });
      const group = stack.one("AWS::Logs::LogGroup", "LogGroupName", `/fleetwright/fleetwright/${team}`);
      expect(named(group.properties["KmsKeyId"])).toBe(key);
    }
  });

  test("the deployment parameter is stored under the name that the fleet command reads", () => {
    const { properties } = stack.one("AWS::SSM::Parameter", "Name", "/fleetwright/fleetwright/deployment");
    const text = z.object({ "Fn::Join": z.tuple([z.literal(""), z.array(z.unknown())]) }).parse(properties["Value"])["Fn::Join"][1];
    const written: unknown = JSON.parse(text.map((part) => (typeof part === "string" ? part : named(part))).join(""));
    expect(written).toEqual({
      name: "fleetwright",
      table: stack.all("AWS::DynamoDB::Table")[0]?.id,
      jobsQueuePrefix: "fleetwright-jobs-",
      incomingBucket: bucket("Incoming").id,
      artifactsBucket: bucket("Artifacts").id,
      codeBucket: bucket("Code").id,
      decisionsBucket: bucket("Decisions").id,
      datasetsBucket: bucket("Datasets").id,
      apiUrl: stack.one("AWS::Lambda::Url", "TargetFunctionArn", { "Fn::GetAtt": [stack.functionNamed("api").id, "Arn"] }).id,
      keyAliasPrefix: "alias/fleetwright/",
      logGroupPrefix: "/fleetwright/fleetwright/",
      teams: ["research", "vision"],
      pools: ["gpu"],
      defaultPool: "gpu",
    });
  });
});
