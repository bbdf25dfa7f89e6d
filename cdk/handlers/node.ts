import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import { FunctionUrlAuthType, type IFunction } from "aws-cdk-lib/aws-lambda";
import type { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";
import { outboxPurpose } from "../../events/outbox/outbox.ts";
import { allWrites, onTable, sendTo } from "../access/allow.ts";
import { JobRole } from "../access/roles.ts";
import { objectName, type WorkerAssets } from "../bundles/worker-assets.ts";
import { FleetFunction, functionRole } from "./fleet-function.ts";
import type { Foundation } from "./foundation.ts";

/** The function that workers call. It receives their reports and returns orders with credentials for each attempt. */
export class NodeFunction extends Construct {
  readonly function: IFunction;
  /** The function URL that workers call, with IAM authorization. */
  readonly url: string;

  constructor(
    scope: Construct,
    id: string,
    props: Foundation & { readonly worker: WorkerAssets; readonly instanceRole: Role; readonly canaryRole: Role },
  ) {
    super(scope, id);
    const { configuration, bundles, table, queues, buckets, vaults, worker } = props;
    const role = functionRole(this, "node");
    const jobs = new JobRole(this, "Job", {
      node: role,
      incoming: buckets.incoming,
      code: buckets.code,
      datasets: buckets.datasets,
      dataBuckets: configuration.dataBuckets,
      keys: [...vaults.keys.values()],
      logGroupPrefix: vaults.logGroupPrefix,
    });
    const node = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "node",
      role,
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        KEY_ALIAS_PREFIX: vaults.aliasPrefix,
        INCOMING_BUCKET: buckets.incoming.bucketName,
        DATASETS_BUCKET: buckets.datasets.bucketName,
        SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
        JOB_ROLE_ARN: jobs.role.roleArn,
        INSTANCE_ROLE: props.instanceRole.roleName,
        NODES_ROLE_ID: props.instanceRole.roleId,
        CANARY_ROLE: props.canaryRole.roleName,
        LOG_GROUP_PREFIX: vaults.logGroupPrefix,
        WORKER_ASSET: objectName(worker.agent),
        NODE_ASSET: objectName(worker.binary),
      },
      may: [
        onTable(table, ["GetItem", "BatchGetItem", "Query", ...allWrites]),
        sendTo(queues.lane.queue, queues.shards.queue),
        new PolicyStatement({ sid: "WorkerFiles", actions: ["s3:GetObject"], resources: [worker.agent, worker.binary].map(objectArn) }),
        new PolicyStatement({
          sid: "OutboxKeys",
          actions: ["kms:GenerateDataKey"],
          resources: [...vaults.keys.values()].map((key) => key.keyArn),
          conditions: { StringEquals: { "kms:EncryptionContext:purpose": outboxPurpose } },
        }),
        new PolicyStatement({ sid: "HandOut", actions: ["sts:AssumeRole", "sts:TagSession"], resources: [jobs.role.roleArn] }),
      ],
      memory: 512,
    });
    this.function = node.function;
    this.url = node.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM }).url;
  }
}

const objectArn = (asset: Asset): string =>
  Stack.of(asset).formatArn({
    service: "s3",
    region: "",
    account: "",
    resource: objectName(asset),
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
