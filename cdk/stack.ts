import { Annotations, Aws, CfnOutput, Fn, Stack, type StackProps } from "aws-cdk-lib";
import { Alarm } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import { Construct } from "constructs";
import type { Deployment } from "../lib/model/deployment.ts";
import { InstanceRole } from "./access/roles.ts";
import { Alarms } from "./alarms.ts";
import type { FunctionBundles } from "./bundles/function-bundles.ts";
import { WorkerAssets, type WorkerFiles } from "./bundles/worker-assets.ts";
import { concurrencyRemarks } from "./configuration/concurrency.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { zoneCount } from "./configuration/zones.ts";
import { FleetAlarms } from "./fleet-alarms.ts";
import { Api } from "./handlers/api.ts";
import { EndFleet } from "./handlers/end-fleet.ts";
import { functionRole } from "./handlers/fleet-function.ts";
import type { Foundation } from "./handlers/foundation.ts";
import { NodeFunction } from "./handlers/node.ts";
import { OnAlarm } from "./handlers/on-alarm.ts";
import { OnInstance } from "./handlers/on-instance.ts";
import { PlaceFunction } from "./handlers/place.ts";
import { RebalanceShardsFunction } from "./handlers/rebalance-shards.ts";
import { RingLater } from "./handlers/ring-later.ts";
import { SealArtifact } from "./handlers/seal-artifact.ts";
import { SubmitJobs } from "./handlers/submit-jobs.ts";
import { TakeOutbox } from "./handlers/take-outbox.ts";
import { TickFunction } from "./handlers/tick.ts";
import { LaunchTemplates } from "./nodes/launch-templates.ts";
import { Network } from "./nodes/network.ts";
import { Queues } from "./queues/queues.ts";
import { oldNames, remarks } from "./remarks.ts";
import { Buckets } from "./storage/buckets.ts";
import { FleetTable } from "./storage/fleet-table.ts";
import { TeamVaults } from "./storage/team-vaults.ts";
import { TeamRoles } from "./team-roles.ts";

export type FleetStackProps = StackProps & {
  readonly configuration: Configuration;
  readonly bundles: FunctionBundles;
  readonly worker: WorkerFiles;
};

/** A complete Fleetwright. It names no account and no region, so that it can be synthesized without either. */
export class FleetStack extends Stack {
  readonly #zones: Configuration["zones"];

  constructor(scope: Construct, id: string, props: FleetStackProps) {
    const { configuration, bundles } = props;
    // A deployment of another name is another stack. If all had one name, the second would replace the first.
    super(scope, id, { ...props, stackName: `Fleetwright-${configuration.name}` });
    this.#zones = configuration.zones;
    for (const remark of remarks(configuration)) Annotations.of(this).addWarningV2("fleetwright:limits", remark);
    for (const remark of concurrencyRemarks(configuration)) Annotations.of(this).addWarningV2("fleetwright:concurrency", remark);
    for (const remark of oldNames(configuration)) Annotations.of(this).addWarningV2("fleetwright:old-names", remark);
    const buckets = new Buckets(this, "Buckets", configuration);
    const foundation: Foundation = {
      configuration,
      bundles,
      buckets,
      table: new FleetTable(this, "Table", configuration).table,
      queues: new Queues(this, "Queues", configuration),
      vaults: new TeamVaults(this, "Teams", configuration),
      network: new Network(this, "Network", { zones: zoneCount(configuration.zones), logs: buckets.logs }),
    };
    const worker = new WorkerAssets(this, "Worker", props.worker);
    const instance = new InstanceRole(this, "Instance");
    const tickRole = functionRole(new Construct(this, "TickRole"), "tick");
    const node = new NodeFunction(this, "Node", { ...foundation, worker, instanceRole: instance.role, canaryRole: tickRole });
    instance.mayCall(node.function);
    instance.mayLeaveOutbox(buckets.incoming);
    const { byPool } = new LaunchTemplates(this, "Pools", {
      configuration,
      role: instance.role,
      securityGroup: foundation.network.nodes,
      nodeUrl: node.url,
    });
    new SubmitJobs(this, "SubmitJobs", foundation);
    new PlaceFunction(this, "Place", { ...foundation, launchTemplates: byPool, instanceRole: instance.role });
    new RingLater(this, "RingLater", foundation);
    new SealArtifact(this, "SealArtifact", foundation);
    new TakeOutbox(this, "TakeOutbox", { ...foundation, instanceRole: instance.role });
    new RebalanceShardsFunction(this, "RebalanceShards", foundation);
    new OnInstance(this, "OnInstance", foundation);
    new OnAlarm(this, "OnAlarm", foundation);
    new Alarms(this, "Alarms", foundation);
    const tick = new TickFunction(this, "Tick", { ...foundation, role: tickRole, node, instanceRole: instance.role });
    new FleetAlarms(this, "FleetAlarms", { fleet: configuration.name, tick: tick.function });
    const api = new Api(this, "Api", foundation);
    const end = new EndFleet(this, "EndFleet", {
      configuration,
      bundles,
      under: [foundation.network, foundation.table, instance, ...byPool.values()],
    });
    end.after(this);
    new TeamRoles(this, "TeamRoles", { ...foundation, api: api.function });
    this.#addOutputs(foundation, api.url);
    if (configuration.alarmTopicArn) this.#notifyOfAlarms(configuration.alarmTopicArn);
  }

  /** Returns the configured zones, or zones that are looked up at deployment, because without a region CDK would assume two zones only. */
  override get availabilityZones(): string[] {
    const zones = this.#zones;
    return typeof zones === "object" ? zones : Array.from({ length: zones }, (_, index) => Fn.select(index, Fn.getAzs(Aws.REGION)));
  }

  #addOutputs({ configuration, table, queues, buckets, vaults }: Foundation, apiUrl: string): void {
    const deployment: Deployment = {
      name: configuration.name,
      table: table.tableName,
      jobsQueuePrefix: queues.jobsPrefix,
      incomingBucket: buckets.incoming.bucketName,
      artifactsBucket: buckets.artifacts.bucketName,
      codeBucket: buckets.code.bucketName,
      decisionsBucket: buckets.decisions.bucketName,
      datasetsBucket: buckets.datasets.bucketName,
      apiUrl,
      keyAliasPrefix: vaults.aliasPrefix,
      logGroupPrefix: vaults.logGroupPrefix,
      teams: configuration.teams,
      pools: configuration.pools.map((pool) => pool.name),
      defaultPool: configuration.defaultPool,
    };
    const parameter = new StringParameter(this, "Deployment", {
      parameterName: `/fleetwright/${configuration.name}/deployment`,
      description: "Where the parts of this Fleetwright are",
      stringValue: this.toJsonString(deployment),
    });
    new CfnOutput(this, "ApiUrl", {
      value: apiUrl,
      description: "The HTTP API, described by its /v1/openapi.json. Sign calls with SigV4 for the service lambda",
    });
    new CfnOutput(this, "DeploymentParameter", { value: parameter.parameterName, description: "The SSM parameter that lists the parts" });
  }

  #notifyOfAlarms(topicArn: string): void {
    const action = new SnsAction(Topic.fromTopicArn(this, "AlarmTopic", topicArn));
    for (const part of this.node.findAll()) if (part instanceof Alarm) part.addAlarmAction(action);
  }
}
