import { kmsClient } from "../../aws/clients/kms.ts";
import { s3Client } from "../../aws/clients/s3.ts";
import { s3LogSegments } from "../../aws/logs/log-segments.ts";
import type { SealLogDeps } from "../../flows/seal-log.ts";
import type { Environment } from "../env.ts";

export const sealLogWiring = (env: Environment<"seal-artifact">): SealLogDeps => ({
  segments: s3LogSegments({
    s3: s3Client(),
    kms: kmsClient(),
    incomingBucket: env.INCOMING_BUCKET,
    artifactsBucket: env.ARTIFACTS_BUCKET,
    keyAliasPrefix: env.KEY_ALIAS_PREFIX,
  }),
});
