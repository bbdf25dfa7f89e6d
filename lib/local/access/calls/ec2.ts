import { type FleetRequest, parseFleetRequest, tagsFor, targets } from "../../ec2/calls/fleet-request.ts";
import { formOf } from "../../requests/query-protocol.ts";
import type { ConditionContext } from "../policy/patterns.ts";
import type { AccessRequest } from "../policy/verdict.ts";
import { type Describe, onAll, type ResourceFacts, type TemplateFact, tagContext } from "./facts.ts";
import { keyRequest } from "./kms.ts";
import { parameterArn } from "./others.ts";

/** Returns what a call to EC2 asks for. Descriptions have no resources. */
export const onEc2: Describe = (call, facts) => {
  const form = formOf(call);
  const action = form.get("Action") ?? "";
  if (action === "CreateFleet") return fleet(parseFleetRequest(form), facts);
  if (action === "TerminateInstances") return instances(form, facts);
  return onAll(`ec2:${action}`);
};

function instances(form: URLSearchParams, facts: ResourceFacts): readonly AccessRequest[] {
  const named = [...form].filter(([name]) => name.startsWith("InstanceId"));
  const action = "ec2:TerminateInstances";
  if (!named.every(([name]) => /^InstanceId\.\d+$/.test(name))) return onAll(action);
  return named.map(([, id]) => ({
    action,
    resource: ec2Arn(`instance/${id}`, facts),
    context: tagContext("resource", facts.instanceTags(id)),
  }));
}

const ec2Arn = (resource: string, { account, region }: ResourceFacts): string => `arn:aws:ec2:${region}:${account}:${resource}`;
const publicArn = (resource: string, { region }: ResourceFacts): string => `arn:aws:ec2:${region}::${resource}`;

/**
 * An instant fleet launches with its caller's rights: the caller needs CreateFleet and RunInstances on all that a launch names or makes, the
 * tags, the role of the nodes, and the parameter that names the image. Sources: the Service Authorization Reference ("Actions, resources,
 * and condition keys for Amazon EC2") and the EC2 User Guide ("EC2 Fleet prerequisites"). Where it is not documented whether a right
 * is checked, it is checked here, because too much asked for is found before a deployment, and too little is not.
 */
function fleet(request: FleetRequest, facts: ResourceFacts): readonly AccessRequest[] {
  const isSpot = targets(request).spot > 0;
  const tagged = request.TagSpecification.map(({ ResourceType }) => ResourceType);
  return request.LaunchTemplateConfigs.flatMap(({ LaunchTemplateSpecification: { LaunchTemplateId, LaunchTemplateName }, Overrides }) => {
    const name = LaunchTemplateId ?? LaunchTemplateName ?? "";
    const template = facts.template(name) ?? { id: name, name, securityGroups: [], tags: [] };
    // A zone without a subnet means the default one, whose id is not known.
    const subnets = [...new Set(Overrides.map(({ SubnetId = "*" }) => SubnetId))];
    return launch({ template, subnets, isSpot, tagged, tags: tagsFor(request, "instance") }, facts);
  });
}

type Launch = {
  readonly template: TemplateFact;
  readonly subnets: readonly string[];
  readonly isSpot: boolean;
  /** The types of resources that the call tags. */
  readonly tagged: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
};

function launch({ template, subnets, isSpot, tagged, tags }: Launch, facts: ResourceFacts): readonly AccessRequest[] {
  const templateArn = ec2Arn(`launch-template/${template.id}`, facts);
  const spot = isSpot ? [ec2Arn("spot-instances-request/*", facts)] : [];
  const made = ["instance/*", "network-interface/*", "volume/*"].map((each) => ec2Arn(each, facts));
  const from = [publicArn("image/*", facts), publicArn("snapshot/*", facts)];
  const into = [templateArn, ...template.securityGroups.map((id) => `security-group/${id}`).map((each) => ec2Arn(each, facts))];
  const within = subnets.map((id) => ec2Arn(`subnet/${id}`, facts));
  const byTemplate: ConditionContext = {
    "ec2:launchtemplate": [templateArn],
    "ec2:islaunchtemplateresource": ["true"],
    ...tagContext("request", tags),
  };
  const all = (action: string, resources: readonly string[], context: ConditionContext): readonly AccessRequest[] =>
    resources.map((resource) => ({ action, resource, context }));
  return [
    ...all("ec2:CreateFleet", [ec2Arn("fleet/*", facts), ...made, ...spot, ...from, ...into, ...within], tagContext("request", tags)),
    ...all("ec2:RunInstances", [...made, ...from, ...into, ...within], byTemplate),
    // The reference does not list the template's key for spot requests.
    ...all("ec2:RunInstances", spot, tagContext("request", tags)),
    ...[...new Set([...tagged, ...template.tags])].flatMap((type) =>
      all("ec2:CreateTags", [ec2Arn(`${type}/*`, facts)], {
        "ec2:createaction": [type === "fleet" ? "CreateFleet" : "RunInstances"],
        "aws:tagkeys": Object.keys(tags),
      }),
    ),
    ...all("iam:PassRole", template.roleArn === undefined ? [] : [template.roleArn], { "iam:passedtoservice": ["ec2.amazonaws.com"] }),
    ...imageParameter(template, facts),
    ...volumeKey(template, facts),
  ];
}

/** EC2's documentation names GetParameters. Users have reported that CreateFleet needs GetParameter, so both are asked for. */
const imageParameter = ({ imageParameter: name }: TemplateFact, facts: ResourceFacts): readonly AccessRequest[] =>
  name === undefined
    ? []
    : ["ssm:GetParameter", "ssm:GetParameters"].map((action) => ({ action, resource: parameterArn(name, facts), context: {} }));

/** EC2 encrypts volumes with the customer's key in the caller's name, as in the EBS User Guide ("Requirements for Amazon EBS encryption"). */
function volumeKey({ volumeKey: key }: TemplateFact, facts: ResourceFacts): readonly AccessRequest[] {
  if (key === undefined) return [];
  const uses = ["kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"];
  return uses.map((action) => {
    const request = keyRequest(action, key, { facts, encryptionContext: {}, via: "ec2" });
    return action === "kms:CreateGrant" ? { ...request, context: { ...request.context, "kms:grantisforawsresource": ["true"] } } : request;
  });
}
