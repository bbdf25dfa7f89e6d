import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { FunctionUrlAuthType, type IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { deadQueues } from "../../lib/model/letters/dead-letter.ts";
import { acknowledgeResources } from "../access/acknowledge.ts";
import { allWrites, onTable, sendTo } from "../access/allow.ts";
import { FleetFunction } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** The HTTP API for people and programs: a function URL with IAM authorization. Without a gateway, it costs nothing while it is idle. */
export class Api extends Construct {
  readonly function: IFunction;
  readonly url: string;

  constructor(scope: Construct, id: string, { configuration, bundles, table, queues, buckets, vaults }: Foundation) {
    super(scope, id);
    const logStreams = Stack.of(this).formatArn({
      service: "logs",
      resource: "log-group",
      resourceName: `${vaults.logGroupPrefix}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const decisions = buckets.decisions.arnForObjects("*");
    const teamIndex = `${table.tableArn}/index/byTeam`;
    // By name, because most of these queues are made by other constructs, after this one.
    const letters = deadQueues(configuration.teams).map(({ name, fifo }) =>
      Stack.of(this).formatArn({ service: "sqs", resource: `${configuration.name}-dead-${name}${fifo ? ".fifo" : ""}` }),
    );
    const sources = [...[...queues.jobs.values()].map(({ queue }) => queue), queues.seal.queue, queues.outboxes.queue, queues.shards.queue];
    const api = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "api",
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
        DATASETS_BUCKET: buckets.datasets.bucketName,
        DECISIONS_BUCKET: buckets.decisions.bucketName,
        LOG_GROUP_PREFIX: vaults.logGroupPrefix,
      },
      may: [
        onTable(table, ["GetItem", "BatchGetItem", "Query", ...allWrites]),
        // Used only for lists for people, which may be out of date.
        new PolicyStatement({ sid: "TeamsJobs", actions: ["dynamodb:Query"], resources: [teamIndex] }),
        sendTo(queues.lane.queue, ...sources),
        new PolicyStatement({ sid: "FindSources", actions: ["sqs:GetQueueUrl"], resources: sources.map((queue) => queue.queueArn) }),
        new PolicyStatement({
          sid: "DeadLetters",
          actions: ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage"],
          resources: letters,
        }),
        new PolicyStatement({ sid: "JobLogs", actions: ["logs:GetLogEvents"], resources: [logStreams] }),
        new PolicyStatement({ sid: "ListDecisions", actions: ["s3:ListBucket"], resources: [buckets.decisions.bucketArn] }),
        new PolicyStatement({ sid: "ReadDecisions", actions: ["s3:GetObject"], resources: [decisions] }),
      ],
      memory: 1024,
    });
    this.function = api.function;
    this.url = api.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM }).url;
    acknowledgeResources(api.role, "The API reads every team's logs and all decisions, and shows each caller only its own", [
      logStreams,
      decisions,
    ]);
  }
}
