import { Stack } from "aws-cdk-lib";
import type { LaunchTemplate } from "aws-cdk-lib/aws-ec2";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Configuration } from "../configuration/configuration.ts";
import { imageParameter } from "./launch-templates.ts";
import type { Network } from "./network.ts";

export type Capacity = {
  readonly configuration: Configuration;
  readonly network: Network;
  readonly launchTemplates: ReadonlyMap<string, LaunchTemplate>;
  readonly instanceRole: IRole;
};

/** What a launch makes; EC2 names each only when it makes it. */
const made = ["instance", "volume", "network-interface", "spot-instances-request"];

/** The kinds of things that a launch makes or starts from, any of the kind: see what bounds them below. */
export function anyOfAKind(scope: Construct): string[] {
  const stack = Stack.of(scope);
  const named = ["fleet", ...made].map((kind) => stack.formatArn({ service: "ec2", resource: `${kind}/*` }));
  return [...named, ...["image", "snapshot"].map((kind) => stack.formatArn({ service: "ec2", account: "", resource: `${kind}/*` }))];
}

/** Launches by our templates and into our subnets only; ends only what carries our tag. */
export function capacityPolicy(scope: Construct, { configuration, network, launchTemplates, instanceRole }: Capacity): PolicyStatement[] {
  const stack = Stack.of(scope);
  const ec2 = (resource: string): string => stack.formatArn({ service: "ec2", resource });
  const templates = [...launchTemplates.values()].map((template) => ec2(`launch-template/${template.launchTemplateId}`));
  const into = [
    ...network.subnets.map(({ subnetId }) => ec2(`subnet/${subnetId}`)),
    ec2(`security-group/${network.nodes.securityGroupId}`),
  ];
  return [
    // A fleet needs a launch template, and no other is allowed.
    new PolicyStatement({ sid: "AskForFleets", actions: ["ec2:CreateFleet"], resources: [...anyOfAKind(scope), ...templates, ...into] }),
    new PolicyStatement({
      sid: "LaunchByTemplate",
      actions: ["ec2:RunInstances"],
      resources: anyOfAKind(scope).filter((arn) => !arn.endsWith(":fleet/*")),
      conditions: { ArnEquals: { "ec2:LaunchTemplate": templates } },
    }),
    new PolicyStatement({ sid: "LaunchInto", actions: ["ec2:RunInstances"], resources: [...templates, ...into] }),
    new PolicyStatement({
      sid: "TagAtLaunch",
      actions: ["ec2:CreateTags"],
      resources: made.map((kind) => ec2(`${kind}/*`)),
      conditions: { StringEquals: { "ec2:CreateAction": ["CreateFleet", "RunInstances"] } },
    }),
    endOurs(scope, configuration.name),
    new PolicyStatement({ sid: "Look", actions: ["ec2:DescribeInstances"], resources: ["*"] }),
    new PolicyStatement({
      sid: "MakeNodes",
      actions: ["iam:PassRole"],
      resources: [instanceRole.roleArn],
      conditions: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
    }),
    // EC2 reads the image's parameter with the rights of who launches. Its documentation names the plural for RunInstances; that
    // CreateFleet wants the singular has been reported, and a launch that is refused for it is refused for every node.
    new PolicyStatement({
      sid: "ReadImage",
      actions: ["ssm:GetParameter", "ssm:GetParameters"],
      resources: imageParameters(stack, configuration),
    }),
    new PolicyStatement({
      sid: "FirstOfTheAccount",
      actions: ["iam:CreateServiceLinkedRole"],
      resources: [
        serviceLinkedRole(stack, "spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
        serviceLinkedRole(stack, "ec2fleet.amazonaws.com", "AWSServiceRoleForEC2Fleet"),
      ],
      conditions: { StringEquals: { "iam:AWSServiceName": ["spot.amazonaws.com", "ec2fleet.amazonaws.com"] } },
    }),
  ];
}

/** Instances have no names that could be known before. */
export const anyInstance = (scope: Construct): string => Stack.of(scope).formatArn({ service: "ec2", resource: "instance/*" });

/** Ends what carries our tag, and nothing else. */
export const endOurs = (scope: Construct, name: string): PolicyStatement =>
  new PolicyStatement({
    sid: "EndOurs",
    actions: ["ec2:TerminateInstances"],
    resources: [anyInstance(scope)],
    conditions: { StringEquals: { "aws:ResourceTag/fleetwright:name": name } },
  });

const imageParameters = (stack: Stack, { pools }: Configuration): string[] =>
  [...new Set(pools.map(({ architecture }) => imageParameter(architecture)))].map((name) =>
    stack.formatArn({ service: "ssm", account: "", resource: "parameter", resourceName: name.slice(1) }),
  );

const serviceLinkedRole = (stack: Stack, service: string, role: string): string =>
  stack.formatArn({ service: "iam", region: "", resource: "role", resourceName: `aws-service-role/${service}/${role}` });
