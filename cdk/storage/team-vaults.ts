import { ArnFormat, RemovalPolicy, Stack, Tags } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Configuration } from "../configuration/configuration.ts";
import { retention } from "./retention.ts";

/** The tag that a team's key carries; a job may use a key only if it equals the job's own session tag. */
export const teamTag = "team";

/** Each team's key and its jobs' logs. Forgetting a team is scheduling its key's deletion: logs and artifacts go with it. */
export class TeamVaults extends Construct {
  /** A team's key has this and the team's name as alias. */
  readonly aliasPrefix: string;
  /** A team's log group has this and the team's name as name. */
  readonly logGroupPrefix: string;
  readonly keys: ReadonlyMap<string, Key>;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    this.aliasPrefix = `alias/${configuration.name}/`;
    this.logGroupPrefix = `/fleetwright/${configuration.name}/`;
    const keys = configuration.teams.map((team): [string, Key] => {
      const key = new Key(this, `Key-${team}`, {
        alias: `${this.aliasPrefix}${team}`,
        description: `Fleetwright ${configuration.name}: what the team ${team} uploads, leaves and logs`,
        enableKeyRotation: true,
        removalPolicy: RemovalPolicy.RETAIN,
      });
      Tags.of(key).add(teamTag, team);
      this.#logs(team, key, configuration);
      return [team, key];
    });
    this.keys = new Map(keys);
  }

  #logs(team: string, key: Key, configuration: Configuration): void {
    const name = `${this.logGroupPrefix}${team}`;
    const stack = Stack.of(this);
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "TeamLogs",
        principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        actions: [
          "Encrypt",
          "Decrypt",
          "ReEncryptFrom",
          "ReEncryptTo",
          "GenerateDataKey",
          "GenerateDataKeyWithoutPlaintext",
          "DescribeKey",
        ].map((action) => `kms:${action}`),
        resources: ["*"],
        conditions: {
          ArnEquals: {
            "kms:EncryptionContext:aws:logs:arn": stack.formatArn({
              service: "logs",
              resource: "log-group",
              resourceName: name,
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    new LogGroup(this, `Logs-${team}`, {
      logGroupName: name,
      encryptionKey: key,
      retention: retention(configuration.logRetentionDays),
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
