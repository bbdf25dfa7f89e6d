import { Stack } from "aws-cdk-lib";
import type { LaunchTemplate } from "aws-cdk-lib/aws-ec2";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Configuration } from "../configuration/configuration.ts";
import { imageParameter } from "./launch-templates.ts";
import type { Network } from "./network.ts";

export type CapacityPolicyProps = {
  readonly configuration: Configuration;
  readonly network: Network;
  readonly launchTemplates: ReadonlyMap<string, LaunchTemplate>;
  readonly instanceRole: IRole;
};

/** The kinds of resources that a launch creates. Their ids are unknown until EC2 creates them. */
const made = ["instance", "volume", "network-interface", "spot-instances-request"];

/** Returns wildcard ARNs for each kind of resource that a launch creates or starts from. The conditions below limit them. */
export function anyOfAKind(scope: Construct): string[] {
  const stack = Stack.of(scope);
  const named = ["fleet", ...made].map((kind) => stack.formatArn({ service: "ec2", resource: `${kind}/*` }));
  return [...named, ...["image", "snapshot"].map((kind) => stack.formatArn({ service: "ec2", account: "", resource: `${kind}/*` }))];
}

/** Allows launches from this fleet's templates into its subnets only, and the termination of instances with its tag only. */
export function capacityPolicy(
  scope: Construct,
  { configuration, network, launchTemplates, instanceRole }: CapacityPolicyProps,
): PolicyStatement[] {
  const stack = Stack.of(scope);
  const ec2 = (resource: string): string => stack.formatArn({ service: "ec2", resource });
  const templates = [...launchTemplates.values()].map((template) => ec2(`launch-template/${template.launchTemplateId}`));
  const into = [
    ...network.subnets.map(({ subnetId }) => ec2(`subnet/${subnetId}`)),
    ec2(`security-group/${network.nodes.securityGroupId}`),
  ];
  return [
    // A fleet needs a launch template, and only the fleet's own templates are allowed.
    new PolicyStatement({ sid: "AskForFleets", actions: ["ec2:CreateFleet"], resources: [...anyOfAKind(scope), ...templates, ...into] }),
    new PolicyStatement({
      sid: "LaunchByTemplate",
      actions: ["ec2:RunInstances"],
      resources: anyOfAKind(scope).filter((arn) => !/:(fleet|spot-instances-request)\/\*$/.test(arn)),
      conditions: { ArnEquals: { "ec2:LaunchTemplate": templates } },
    }),
    // AWS's reference does not list the template's key for spot requests. A request without an instance, which needs a template, is nothing.
    new PolicyStatement({
      sid: "LaunchInto",
      actions: ["ec2:RunInstances"],
      resources: [...templates, ...into, ec2("spot-instances-request/*")],
    }),
    new PolicyStatement({
      sid: "TagAtLaunch",
      actions: ["ec2:CreateTags"],
      resources: made.map((kind) => ec2(`${kind}/*`)),
      conditions: { StringEquals: { "ec2:CreateAction": ["CreateFleet", "RunInstances"] } },
    }),
    endOurs(scope, configuration.name),
    new PolicyStatement({ sid: "Look", actions: ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"], resources: ["*"] }),
    new PolicyStatement({
      sid: "MakeNodes",
      actions: ["iam:PassRole"],
      resources: [instanceRole.roleArn],
      conditions: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
    }),
    // EC2 reads the image's parameter with the caller's rights. Its documentation names GetParameters for RunInstances. Users have
    // reported that CreateFleet needs GetParameter, and without it every launch would be refused.
    new PolicyStatement({
      sid: "ReadImage",
      actions: ["ssm:GetParameter", "ssm:GetParameters"],
      resources: imageParameters(stack, configuration),
    }),
    new PolicyStatement({
      sid: "FirstOfTheAccount",
      actions: ["iam:CreateServiceLinkedRole"],
      // A fleet of the type `instant` needs no role of its own.
      resources: [serviceLinkedRole(stack, "spot.amazonaws.com", "AWSServiceRoleForEC2Spot")],
      conditions: { StringEquals: { "iam:AWSServiceName": "spot.amazonaws.com" } },
    }),
    ...(configuration.volumeKeyArn === undefined ? [] : useOf(stack, configuration.volumeKeyArn)),
  ];
}

/**
 * Allows EC2 to encrypt nodes' volumes with a customer-managed key on behalf of a launch. See
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html.
 */
function useOf(stack: Stack, keyArn: string): PolicyStatement[] {
  const viaEc2 = { "kms:ViaService": `ec2.${stack.region}.${stack.urlSuffix}` };
  const actions = ["Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"];
  return [
    new PolicyStatement({
      sid: "UseVolumeKey",
      actions: actions.map((action) => `kms:${action}`),
      resources: [keyArn],
      conditions: { StringEquals: viaEc2 },
    }),
    new PolicyStatement({
      sid: "LendVolumeKey",
      actions: ["kms:CreateGrant"],
      resources: [keyArn],
      conditions: { StringEquals: viaEc2, Bool: { "kms:GrantIsForAWSResource": "true" } },
    }),
  ];
}

/** Returns a wildcard ARN, because the ids of instances are not known in advance. */
export const anyInstance = (scope: Construct): string => Stack.of(scope).formatArn({ service: "ec2", resource: "instance/*" });

/** Allows the termination of instances with this fleet's tag, and of no others. */
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
