import { ArnFormat, Duration, Stack } from "aws-cdk-lib";
import { ArnPrincipal, type IRole, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { outboxFolder } from "../../events/outbox/outbox.ts";
import { bucketArn, keptPrefix, ofThisAccount } from "../storage/data-buckets.ts";
import { teamTag } from "../storage/team-vaults.ts";
import { acknowledgeResources } from "./acknowledge.ts";
import { callUrl } from "./allow.ts";

export type JobRoleProps = {
  /** The role of the `node` function, which alone may assume the job role, with session tags. */
  readonly node: IRole;
  readonly incoming: Bucket;
  readonly code: Bucket;
  readonly datasets: Bucket;
  /** Other buckets that may hold datasets. */
  readonly dataBuckets: readonly string[];
  readonly keys: readonly IKey[];
  readonly logGroupPrefix: string;
};

/** The role of an attempt. All attempts share the role; the session's tags limit each session to its own team, job and attempt. */
export class JobRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: JobRoleProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const [team, job, attempt] = [teamTag, "job", "attempt"].map((tag) => `\${aws:PrincipalTag/${tag}}`);
    this.role = new Role(this, "Role", {
      description: "One attempt of a Fleetwright job, named by its session tags",
      maxSessionDuration: Duration.hours(1),
      assumedBy: new ArnPrincipal(props.node.roleArn)
        .withConditions({
          StringLike: { "aws:RequestTag/team": "?*", "aws:RequestTag/job": "?*", "aws:RequestTag/attempt": "?*" },
          "ForAllValues:StringEquals": { "aws:TagKeys": [teamTag, "job", "attempt"] },
        })
        .withSessionTags(),
    });
    const uploads = props.incoming.arnForObjects(`${team}/${job}/${attempt}/*`);
    const archives = props.code.arnForObjects(`${team}/*`);
    const data = [`${team}/*`, `${keptPrefix}${team}/*`].map((below) => props.datasets.arnForObjects(below));
    const foreign = props.dataBuckets.map((name) => `${bucketArn(stack, name)}/*`);
    const logs = stack.formatArn({
      service: "logs",
      resource: "log-group",
      resourceName: `${props.logGroupPrefix}${team}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.role.addToPolicy(
      new PolicyStatement({ sid: "Upload", actions: ["s3:PutObject", "s3:AbortMultipartUpload"], resources: [uploads] }),
    );
    this.role.addToPolicy(new PolicyStatement({ sid: "Code", actions: ["s3:GetObject"], resources: [archives] }));
    this.role.addToPolicy(new PolicyStatement({ sid: "Data", actions: ["s3:GetObject"], resources: data }));
    if (foreign.length > 0)
      this.role.addToPolicy(
        new PolicyStatement({ sid: "OwnData", actions: ["s3:GetObject"], resources: foreign, conditions: ofThisAccount(stack) }),
      );
    this.role.addToPolicy(
      new PolicyStatement({
        sid: "TeamKey",
        // S3 also needs Decrypt to join the parts of a multipart upload.
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        resources: props.keys.map((key) => key.keyArn),
        conditions: {
          StringEquals: { [`aws:ResourceTag/${teamTag}`]: team, "kms:ViaService": `s3.${stack.region}.${stack.urlSuffix}` },
        },
      }),
    );
    this.role.addToPolicy(new PolicyStatement({ sid: "Logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [logs] }));
    acknowledgeResources(this.role, "The session's tags limit it to one team, and its uploads to one attempt", [
      uploads,
      archives,
      ...data,
      logs,
    ]);
    if (foreign.length > 0) acknowledgeResources(this.role, "The admin has listed these buckets as data that every team may read", foreign);
  }
}

/** The role of an instance, which may call the `node` function through its URL, write its own outboxes, and do nothing else. */
export class InstanceRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
      description: "A Fleetwright node: may call the node function and leave its outbox",
    });
  }

  /**
   * Allows it to write outboxes below its own user id, `ROLE:INSTANCE`, which EC2 sets and no instance can choose. It may neither read, list
   * nor delete them. EC2 renews the role's credentials, so this works for as long as the instance lives.
   */
  mayLeaveOutbox(incoming: Bucket): void {
    const own = incoming.arnForObjects(`${outboxFolder}/\${aws:userid}/*`);
    this.role.addToPolicy(new PolicyStatement({ sid: "Outbox", actions: ["s3:PutObject"], resources: [own] }));
    acknowledgeResources(this.role, "Each instance may write only below its own user id", [own]);
  }

  /** Allows calls of `node`. Separate from the constructor because `node` must know this role first: it accepts calls of no other. */
  mayCall(node: IFunction): void {
    for (const statement of callUrl(node)) this.role.addToPolicy(statement);
  }
}
