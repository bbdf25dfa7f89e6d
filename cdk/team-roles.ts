import { Stack } from "aws-cdk-lib";
import { AccountRootPrincipal, PolicyStatement, Role } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { teamRole } from "../lib/model/deployment.ts";
import { acknowledgeResources } from "./access/acknowledge.ts";
import type { Foundation } from "./handlers/foundation.ts";

/**
 * One role per team. Principals of the account may assume it if their own policies allow it, and then act for the team.
 * It may do what the `fleet` command does for its team, and nothing for another team.
 */
export class TeamRoles extends Construct {
  constructor(scope: Construct, id: string, of: Foundation & { readonly api: IFunction }) {
    super(scope, id);
    for (const team of of.configuration.teams) this.#make(team, of);
  }

  #make(team: string, { configuration, queues, buckets, vaults, api }: Foundation & { readonly api: IFunction }): void {
    const stack = Stack.of(this);
    const role = new Role(this, team, {
      roleName: teamRole({ name: configuration.name, region: stack.region }, team),
      description: `Acts for the team ${team} of Fleetwright ${configuration.name}`,
      assumedBy: new AccountRootPrincipal(),
    });
    const [queue, key] = [queues.jobs.get(team)?.queue, vaults.keys.get(team)];
    if (!queue || !key) throw new Error(`the team ${team} lacks its queue or its key`);
    const code = buckets.code.arnForObjects(`${team}/*`);
    const data = buckets.datasets.arnForObjects(`${team}/*`);
    const artifacts = buckets.artifacts.arnForObjects(`${team}/*`);
    const allow = (sid: string, actions: string[], resources: string[], conditions?: Record<string, Record<string, unknown>>): void => {
      role.addToPolicy(new PolicyStatement({ sid, actions, resources, ...(conditions && { conditions }) }));
    };
    // AWS requires both permissions for a function URL.
    allow("CallApiUrl", ["lambda:InvokeFunctionUrl"], [api.functionArn], { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } });
    allow("CallApi", ["lambda:InvokeFunction"], [api.functionArn], { Bool: { "lambda:InvokedViaFunctionUrl": "true" } });
    allow("Submit", ["sqs:GetQueueUrl", "sqs:SendMessage"], [queue.queueArn]);
    allow(
      "FindIt",
      ["ssm:GetParameter"],
      [stack.formatArn({ service: "ssm", resource: "parameter", resourceName: `fleetwright/${configuration.name}/deployment` })],
    );
    allow("Code", ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], [code]);
    allow("Data", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], [data]);
    allow("ListData", ["s3:ListBucket"], [buckets.datasets.bucketArn], { StringLike: { "s3:prefix": `${team}/*` } });
    allow("Artifacts", ["s3:GetObject"], [artifacts]);
    allow("ListArtifacts", ["s3:ListBucket"], [buckets.artifacts.bucketArn], { StringLike: { "s3:prefix": `${team}/*` } });
    allow("Unseal", ["kms:DescribeKey", "kms:Decrypt"], [key.keyArn]);
    acknowledgeResources(role, "Objects below the team's own prefix belong to the team", [code, data, artifacts]);
  }
}
