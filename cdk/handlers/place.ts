import { Stack } from "aws-cdk-lib";
import type { LaunchTemplate } from "aws-cdk-lib/aws-ec2";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import { acknowledgeResources } from "../acknowledge.ts";
import { allWrites, onTable, sendTo } from "../allow.ts";
import { FleetFunction } from "../fleet-function.ts";
import type { Foundation } from "../foundation.ts";
import { imageParameter } from "../launch-templates.ts";

export type PlaceProps = Foundation & {
  readonly launchTemplates: ReadonlyMap<string, LaunchTemplate>;
  readonly instanceRole: IRole;
};

/** Decides capacity, one decision at a time for each pool, and asks EC2 for it. */
export class Place extends Construct {
  constructor(scope: Construct, id: string, props: PlaceProps) {
    super(scope, id);
    const { configuration, table, queues, buckets, network, launchTemplates } = props;
    const stack = Stack.of(this);
    const templates = Object.fromEntries([...launchTemplates].map(([pool, template]) => [pool, String(template.launchTemplateId)]));
    const place = new FleetFunction(this, "Handler", {
      configuration,
      name: "place",
      environment: {
        TABLE: table.tableName,
        LANE_QUEUE_URL: queues.lane.queue.queueUrl,
        LATER_QUEUE_URL: queues.later.queue.queueUrl,
        DECISIONS_BUCKET: buckets.decisions.bucketName,
        SUBNETS: stack.toJsonString(network.places),
        LAUNCH_TEMPLATES: stack.toJsonString(templates),
      },
      may: [
        onTable(table, ["GetItem", "BatchGetItem", "Query", ...allWrites]),
        sendTo(queues.lane.queue, queues.later.queue),
        new PolicyStatement({ sid: "Journal", actions: ["s3:PutObject"], resources: [buckets.decisions.arnForObjects("*")] }),
        ...this.#capacity(props),
      ],
      memory: 1024,
      loops: true,
    });
    place.function.addEventSource(new SqsEventSource(queues.lane.queue, { batchSize: 10, reportBatchItemFailures: true }));
    acknowledgeResources(place.role, "DescribeInstances knows no resources", ["*"]);
    acknowledgeResources(place.role, "A decision's object is named by the decision", [buckets.decisions.arnForObjects("*")]);
    acknowledgeResources(
      place.role,
      "EC2 names these when it makes them; their launch template, the call that makes them or their tag bounds what may be done to them",
      made.map((kind) => stack.formatArn({ service: "ec2", resource: `${kind}/*` })),
    );
    acknowledgeResources(place.role, "The image is whatever the pool's launch template names", [anyImage(stack)]);
  }

  /** Launches by our templates only, ends only what carries our tag. */
  #capacity({ configuration, network, launchTemplates, instanceRole }: PlaceProps): PolicyStatement[] {
    const stack = Stack.of(this);
    const ec2 = (resource: string): string => stack.formatArn({ service: "ec2", resource });
    const templateArns = [...launchTemplates.values()].map((template) => ec2(`launch-template/${template.launchTemplateId}`));
    return [
      new PolicyStatement({ sid: "AskForFleets", actions: ["ec2:CreateFleet"], resources: [ec2("fleet/*"), ...templateArns] }),
      new PolicyStatement({
        sid: "LaunchByTemplate",
        actions: ["ec2:RunInstances"],
        resources: [...launched.map((kind) => ec2(`${kind}/*`)), anyImage(stack)],
        conditions: { ArnEquals: { "ec2:LaunchTemplate": templateArns } },
      }),
      new PolicyStatement({
        sid: "LaunchInto",
        actions: ["ec2:RunInstances"],
        resources: [
          ...templateArns,
          ...network.subnets.map((subnet) => ec2(`subnet/${subnet.subnetId}`)),
          ec2(`security-group/${network.nodes.securityGroupId}`),
        ],
      }),
      new PolicyStatement({
        sid: "TagAtLaunch",
        actions: ["ec2:CreateTags"],
        resources: made.map((kind) => ec2(`${kind}/*`)),
        conditions: { StringEquals: { "ec2:CreateAction": ["CreateFleet", "RunInstances"] } },
      }),
      new PolicyStatement({
        sid: "EndOurs",
        actions: ["ec2:TerminateInstances"],
        resources: [ec2("instance/*")],
        conditions: { StringEquals: { "aws:ResourceTag/fleetwright:name": configuration.name } },
      }),
      new PolicyStatement({ sid: "Look", actions: ["ec2:DescribeInstances"], resources: ["*"] }),
      new PolicyStatement({
        sid: "MakeNodes",
        actions: ["iam:PassRole"],
        resources: [instanceRole.roleArn],
        conditions: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
      }),
      new PolicyStatement({
        sid: "ReadImage",
        actions: ["ssm:GetParameters"],
        resources: [
          ...new Set(
            configuration.pools.map((pool) =>
              stack.formatArn({
                service: "ssm",
                account: "",
                resource: "parameter",
                resourceName: imageParameter(pool.architecture).slice(1),
              }),
            ),
          ),
        ],
      }),
      new PolicyStatement({
        sid: "FirstSpotOfTheAccount",
        actions: ["iam:CreateServiceLinkedRole"],
        resources: [
          serviceLinkedRole(stack, "spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
          serviceLinkedRole(stack, "ec2fleet.amazonaws.com", "AWSServiceRoleForEC2Fleet"),
        ],
        conditions: { StringEquals: { "iam:AWSServiceName": ["spot.amazonaws.com", "ec2fleet.amazonaws.com"] } },
      }),
    ];
  }
}

/** What a launch makes. */
const launched = ["instance", "volume", "network-interface", "spot-instances-request"];
const made = ["fleet", ...launched];

const anyImage = (stack: Stack): string => stack.formatArn({ service: "ec2", account: "", resource: "image/*" });

const serviceLinkedRole = (stack: Stack, service: string, role: string): string =>
  stack.formatArn({ service: "iam", region: "", resource: "role", resourceName: `aws-service-role/${service}/${role}` });
