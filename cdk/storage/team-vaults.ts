import { ArnFormat, RemovalPolicy, Stack, Tags } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Configuration } from "../configuration/configuration.ts";
import { retention } from "./retention.ts";

/** The tag of a team's key. A job may use a key only if this tag equals the job's session tag. */
export const teamTag = "team";

/** Each team's key and log group. Scheduling the deletion of a team's key makes its logs and artifacts unreadable for good. */
export class TeamVaults extends Construct {
  /** The prefix of the aliases of teams' keys; the team's name follows. */
  readonly aliasPrefix: string;
  /** The prefix of the names of teams' log groups; the team's name follows. */
  readonly logGroupPrefix: string;
  readonly keys: ReadonlyMap<string, Key>;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    this.aliasPrefix = `alias/${configuration.name}/`;
    this.logGroupPrefix = `/fleetwright/${configuration.name}/`;
    const keys = configuration.teams.map((team): [string, Key] => {
      const key = new Key(this, `Key-${team}`, {
        alias: `${this.aliasPrefix}${team}`,
        description: `Fleetwright ${configuration.name}: uploads, artifacts and logs of the team ${team}`,
        enableKeyRotation: true,
        removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
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
