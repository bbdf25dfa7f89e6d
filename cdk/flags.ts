/** CDK's own choices that we make otherwise than its first version did. Here, so that every way to synthesize has the same. */
export const flags: Readonly<Record<string, boolean>> = {
  // As the CLI does: the template names the folder of each function's bundle, from which the local cloud runs it.
  "aws:cdk:enable-asset-metadata": true,
  "aws:cdk:enable-path-metadata": true,
  // Access logs are let in by a bucket policy, not by an ACL.
  "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true,
  "@aws-cdk/aws-s3:createDefaultLoggingPolicy": true,
  "@aws-cdk/aws-iam:minimizePolicies": true,
  "@aws-cdk/core:checkSecretUsage": true,
  "@aws-cdk/aws-kms:reduceCrossAccountRegionPolicyScope": true,
};
