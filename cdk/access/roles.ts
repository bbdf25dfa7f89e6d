import { ArnFormat, Duration, Stack } from "aws-cdk-lib";
import { ArnPrincipal, type IRole, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { bucketArn, keptPrefix } from "../storage/data-buckets.ts";
import { teamTag } from "../storage/team-vaults.ts";
import { acknowledgeResources } from "./acknowledge.ts";

export type JobRoleProps = {
  /** The one that may hand it out, tagged: the `node` function. */
  readonly node: IRole;
  readonly incoming: Bucket;
  readonly code: Bucket;
  readonly datasets: Bucket;
  /** Where else datasets may lie. */
  readonly dataBuckets: readonly string[];
  readonly keys: readonly IKey[];
  readonly logGroupPrefix: string;
};

/** What one attempt may touch. The role is the same for all; the session's tags say whose it is. */
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
    this.role.addToPolicy(new PolicyStatement({ sid: "Data", actions: ["s3:GetObject"], resources: [...data, ...foreign] }));
    this.role.addToPolicy(
      new PolicyStatement({
        sid: "TeamKey",
        // S3 asks for Decrypt, too, when it joins the parts of a multipart upload.
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        resources: props.keys.map((key) => key.keyArn),
        conditions: {
          StringEquals: { [`aws:ResourceTag/${teamTag}`]: team, "kms:ViaService": `s3.${stack.region}.amazonaws.com` },
        },
      }),
    );
    this.role.addToPolicy(new PolicyStatement({ sid: "Logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [logs] }));
    acknowledgeResources(this.role, "The session's tags bound it to one team, and where it writes files to one attempt", [
      uploads,
      archives,
      ...data,
      logs,
    ]);
    if (foreign.length > 0) acknowledgeResources(this.role, "The admin has listed these buckets as data that every team may read", foreign);
  }
}

/** What an instance may do by itself: call `node`, through its URL, and nothing else. */
export class InstanceRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
      description: "A Fleetwright node: may call the node function",
    });
  }

  /** `node` has to know this role first, to tell whose calls it takes. */
  mayCall(node: IFunction): void {
    const resources = [node.functionArn];
    // Since October 2025 a call through a function URL needs both.
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunctionUrl"],
        resources,
        conditions: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } },
      }),
    );
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunction"],
        resources,
        conditions: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
      }),
    );
  }
}
