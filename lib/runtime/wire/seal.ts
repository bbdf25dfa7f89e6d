import { s3Artifacts } from "../../aws/artifacts/artifacts.ts";
import { kmsClient } from "../../aws/clients/kms.ts";
import { s3Client } from "../../aws/clients/s3.ts";
import { createSealing } from "../../aws/table/jobs/sealing.ts";
import type { SealDeps } from "../../flows/seal-attempt.ts";
import type { Log } from "../../ports/log.ts";
import type { Environment } from "../env.ts";
import { tableOf } from "./table.ts";

export const sealWiring = (env: Environment<"seal-artifact">, log: Log): SealDeps => ({
  sealing: createSealing(tableOf(env)),
  artifacts: s3Artifacts({
    s3: s3Client(),
    kms: kmsClient(),
    incomingBucket: env.INCOMING_BUCKET,
    artifactsBucket: env.ARTIFACTS_BUCKET,
    keyAliasPrefix: env.KEY_ALIAS_PREFIX,
  }),
  now: Date.now,
  log,
});
