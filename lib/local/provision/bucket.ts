import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import * as z from "zod";
import { addStatements } from "../access/policies.ts";
import { named, PolicyDocument } from "../access/policy/statement.ts";
import { kind } from "./kind.ts";

const Encryption = z.strictObject({
  ServerSideEncryptionConfiguration: z.array(
    z.strictObject({
      BucketKeyEnabled: z.boolean().optional(),
      ServerSideEncryptionByDefault: z.strictObject({
        SSEAlgorithm: z.enum(["AES256", "aws:kms", "aws:kms:dsse"]),
        KMSMasterKeyID: z.string().optional(),
      }),
    }),
  ),
});

export const bucket = kind({
  type: "AWS::S3::Bucket",
  properties: z.strictObject({
    BucketName: z.string().optional(),
    BucketEncryption: Encryption.optional(),
    NotificationConfiguration: z
      .strictObject({ EventBridgeConfiguration: z.strictObject({ EventBridgeEnabled: z.boolean().default(true) }) })
      .optional(),
    LoggingConfiguration: z.strictObject({ DestinationBucketName: z.string(), LogFilePrefix: z.string().default("") }).optional(),
    VersioningConfiguration: z.strictObject({ Status: z.enum(["Enabled", "Suspended"]) }).optional(),
  }),
  // No local cloud runs for the day after which the first lifecycle rule would expire an object.
  harmless: ["LifecycleConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration"],
  create: async (properties, place, { clients: { s3 }, blueprint }) => {
    const Bucket = properties.BucketName ?? place.name.toLowerCase().slice(0, 63);
    await s3.send(new CreateBucketCommand({ Bucket }));
    const logs = properties.LoggingConfiguration;
    if (logs)
      blueprint.accessLogs.push({
        bucketArn: `arn:aws:s3:::${Bucket}`,
        prefixArn: `arn:aws:s3:::${logs.DestinationBucketName}/${logs.LogFilePrefix}`,
      });
    const steps: Promise<unknown>[] = [];
    if (properties.BucketEncryption) {
      const Rules = properties.BucketEncryption.ServerSideEncryptionConfiguration.map(({ ServerSideEncryptionByDefault: by, ...rule }) => ({
        ...rule,
        ApplyServerSideEncryptionByDefault: by,
      }));
      steps.push(s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } })));
    }
    if (properties.VersioningConfiguration)
      steps.push(s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: properties.VersioningConfiguration })));
    if (properties.NotificationConfiguration?.EventBridgeConfiguration.EventBridgeEnabled)
      steps.push(
        s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } })),
      );
    await Promise.all(steps);
    return {
      ref: Bucket,
      attributes: {
        Arn: `arn:aws:s3:::${Bucket}`,
        DomainName: `${Bucket}.s3.amazonaws.com`,
        RegionalDomainName: `${Bucket}.s3.amazonaws.com`,
      },
    };
  },
});

/** The local cloud judges calls by it. The emulator does not know it. */
export const bucketPolicy = kind({
  type: "AWS::S3::BucketPolicy",
  properties: z.strictObject({ Bucket: z.string(), PolicyDocument }),
  create: async ({ Bucket, PolicyDocument }, { id }, { blueprint }) => {
    addStatements(blueprint.policies.resource, `arn:aws:s3:::${Bucket}`, named(id, PolicyDocument.Statement));
    return { ref: id, attributes: {} };
  },
});
