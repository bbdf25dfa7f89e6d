/** CDK's feature flags. They are set here rather than in cdk.json so that every way to synthesize uses the same ones. */
export const flags: Readonly<Record<string, boolean>> = {
  // As CDK's CLI sets them: the template then names the folder of each function's bundle, from which the local cloud runs it.
  "aws:cdk:enable-asset-metadata": true,
  "aws:cdk:enable-path-metadata": true,
  // A bucket policy admits access logs, not an ACL.
  "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true,
  "@aws-cdk/aws-s3:createDefaultLoggingPolicy": true,
  "@aws-cdk/aws-iam:minimizePolicies": true,
  "@aws-cdk/core:checkSecretUsage": true,
  "@aws-cdk/aws-kms:reduceCrossAccountRegionPolicyScope": true,
};
