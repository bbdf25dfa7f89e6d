import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import * as z from "zod";
import { harmlessKind, kind } from "./kind.ts";

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
    VersioningConfiguration: z.strictObject({ Status: z.enum(["Enabled", "Suspended"]) }).optional(),
  }),
  // No local cloud runs for the day after which the first lifecycle rule would expire an object.
  harmless: ["LifecycleConfiguration", "LoggingConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration"],
  create: async (properties, place, { clients: { s3 } }) => {
    const Bucket = properties.BucketName ?? place.name.toLowerCase().slice(0, 63);
    await s3.send(new CreateBucketCommand({ Bucket }));
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

/** The emulators enforce no resource policies, and these only require TLS, which 127.0.0.1 does not use. */
export const bucketPolicy = harmlessKind("AWS::S3::BucketPolicy", ["Bucket", "PolicyDocument"]);
