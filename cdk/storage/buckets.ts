import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  CfnBucket,
  type IBucket,
  ObjectOwnership,
} from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { outboxFolder } from "../../events/outbox/outbox.ts";
import { keptMs } from "../../lib/model/values/kept.ts";
import type { Configuration } from "../configuration/configuration.ts";

/** The buckets for all files. Deleting the stack keeps them, because they hold the teams' work; a first deployment that fails does not. */
export class Buckets extends Construct {
  /** Access logs of the other buckets and logs of refused network traffic; kept for 30 days. */
  readonly logs: Bucket;
  /**
   * Uploads below TEAM/JOB/ATTEMPT/, encrypted under the team's key, and outboxes below `islands/`, which their nodes have encrypted; deleted
   * after `keptMs.upload`. Sends an event for every new object.
   */
  readonly incoming: Bucket;
  /** Sealed artifacts. */
  readonly artifacts: Bucket;
  /** Archives of the jobs' code, below TEAM/. */
  readonly code: Bucket;
  /** Teams' data below TEAM/, and Fleetwright's records about datasets. Sends an event for every object that is created or deleted. */
  readonly datasets: Bucket;
  /** The decision journal. */
  readonly decisions: Bucket;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    this.logs = bucket(this, "Logs", { lifecycleRules: [expireAfter(30)] });
    const logged = (prefix: string): BucketProps => ({
      serverAccessLogsBucket: this.logs as IBucket,
      serverAccessLogsPrefix: `${prefix}/`,
    });
    this.incoming = bucket(this, "Incoming", {
      ...logged("incoming"),
      encryption: BucketEncryption.KMS_MANAGED,
      bucketKeyEnabled: true,
      lifecycleRules: [expireAfter(Duration.millis(keptMs.upload).toDays())],
    });
    sendEventsToBus(this.incoming);
    requireTeamKey(this.incoming);
    this.artifacts = bucket(this, "Artifacts", {
      ...logged("artifacts"),
      versioned: true,
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(30),
          ...(configuration.artifactRetentionDays && { expiration: Duration.days(configuration.artifactRetentionDays) }),
        },
      ],
    });
    this.code = bucket(this, "Code", {
      ...logged("code"),
      versioned: true,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1), noncurrentVersionExpiration: Duration.days(30) }],
    });
    this.datasets = bucket(this, "Datasets", {
      ...logged("datasets"),
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    sendEventsToBus(this.datasets);
    this.decisions = bucket(this, "Decisions", {
      ...logged("decisions"),
      lifecycleRules: [expireAfter(configuration.decisionRetentionDays)],
    });
  }
}

const bucket = (scope: Construct, id: string, props: BucketProps): Bucket =>
  new Bucket(scope, id, {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ...props,
  });

const expireAfter = (days: number) => ({ expiration: Duration.days(days), abortIncompleteMultipartUploadAfter: Duration.days(1) });

/** Sends events to the default event bus. Sets the L1 property, because the L2's option adds a custom resource with a function. */
function sendEventsToBus(of: Bucket): void {
  const resource = of.node.defaultChild;
  if (!(resource instanceof CfnBucket)) throw new Error(`${of.node.path} is not a bucket of this stack`);
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}

/**
 * Refuses uploads that ask for another encryption than by a KMS key that they name. The uploader's own policy says which keys it may name. A
 * request that asks for nothing is not refused, because the parts of a multipart upload cannot: they get the key that the upload began with.
 * A whole object without a key, such as an outbox, gets the bucket's default encryption, which is KMS, too.
 */
function requireTeamKey(of: Bucket): void {
  const refuse = (sid: string, conditions: Record<string, Record<string, string>>): void => {
    of.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ["s3:PutObject"],
        notResources: [of.arnForObjects(`${outboxFolder}/*`)],
        conditions,
      }),
    );
  };
  const encryption = "s3:x-amz-server-side-encryption";
  refuse("RequireKms", { StringNotEquals: { [encryption]: "aws:kms" }, Null: { [encryption]: "false" } });
  refuse("RequireNamedKey", { StringEquals: { [encryption]: "aws:kms" }, Null: { [`${encryption}-aws-kms-key-id`]: "true" } });
}
