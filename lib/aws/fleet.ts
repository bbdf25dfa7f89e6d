import {
  CreateFleetCommand,
  type CreateFleetCommandOutput,
  type CreateFleetInstance,
  type DescribeInstancesCommandInput,
  type EC2Client,
  type Instance,
} from "@aws-sdk/client-ec2";
import type { Launch, LaunchedInstance, LaunchOutcome, OfferRefusal } from "../model/launch.ts";
import type { Fleet } from "../ports/fleet.ts";
import { awsErrorCode, awsErrorKind, isDefinite } from "./errors.ts";
import { describeInstances, endInstances, isOver, lookAtInstances } from "./fleet-instances.ts";
import { refusalsOf, refusedEach, refusedWhole } from "./fleet-refusals.ts";
import { fleetRequest, launchTag, type ZoneSubnet } from "./fleet-request.ts";

export type Ec2FleetConfig = {
  readonly ec2: Pick<EC2Client, "send">;
  /** The deployment's name: every instance bears it. */
  readonly name: string;
  /** Each pool's launch template, by id or name. */
  readonly launchTemplates: Readonly<Record<string, string>>;
  readonly subnets: readonly ZoneSubnet[];
};

/** Launches with CreateFleet `instant`: EC2 answers at once with what it gave, and keeps no fleet that would replace it. */
export const ec2Fleet = (config: Ec2FleetConfig): Fleet => ({
  async launch(launch) {
    const template = config.launchTemplates[launch.pool];
    if (template === undefined)
      return refusedWhole(launch, { code: "NoLaunchTemplate", message: `pool ${launch.pool} has no launch template` });
    const request = fleetRequest(launch, { name: config.name, template, subnets: config.subnets });
    if (request === undefined) return refusedWhole(launch, { code: "NoSubnet", message: "no offer lies in a zone that has a subnet" });
    let answer: CreateFleetCommandOutput;
    try {
      answer = await config.ec2.send(new CreateFleetCommand(request));
    } catch (error) {
      return outcomeOfError(config, launch, error);
    }
    return outcomeOf(config, launch, answer);
  },

  terminate: (instances) => endInstances(config.ec2, instances),
  look: (instances) => lookAtInstances(config.ec2, instances),
});

/** An answer of CreateFleet: instances, and for each offer that was tried in vain why. It is final for this token. */
async function outcomeOf(config: Ec2FleetConfig, launch: Launch, answer: CreateFleetCommandOutput): Promise<LaunchOutcome> {
  const given = (answer.Instances ?? []).flatMap((item) => (item.InstanceIds ?? []).map((id) => ({ id, ...shapeOf(config, item) })));
  if (given.length === 0) return refusedEach(answer.Errors ?? [], launch, config.subnets);
  const refusals = refusalsOf(answer.Errors ?? [], launch, config.subnets);
  const whole = given.filter(isWhole);
  if (whole.length === given.length) return { kind: "launched", instances: whole, refusals };
  return outcomeOfFound(await find(config.ec2, { InstanceIds: given.map(({ id }) => id) }), { count: given.length, refusals });
}

async function outcomeOfError(config: Ec2FleetConfig, launch: Launch, error: unknown): Promise<LaunchOutcome> {
  const kind = awsErrorKind(error);
  const code = awsErrorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (kind === "conflict") {
    // Another request went out under this token before (the subnets have changed since, say), and it may have launched.
    const left = await find(config.ec2, { Filters: [{ Name: `tag:${launchTag}`, Values: [launch.id] }] });
    return left?.every(isOver) ? refusedWhole(launch, { code, message }) : outcomeOfFound(left, { count: launch.count, refusals: [] });
  }
  if (kind === "capacity" || kind === "limit" || isDefinite(error)) return refusedWhole(launch, { code, message });
  return { kind: kind === "throttled" ? "throttled" : "unknown", message: `${code}: ${message}` };
}

/**
 * An instance is often invisible for some seconds after its launch: as long as fewer than `count` are seen, of which some may
 * be over, it is `unknown`, and the repeat of the launch tells.
 */
function outcomeOfFound(
  found: readonly Instance[] | undefined,
  { count, refusals }: { readonly count: number; readonly refusals: readonly OfferRefusal[] },
): LaunchOutcome {
  const live = (found ?? []).filter((instance) => !isOver(instance));
  const given = live.map(
    (one): Given => ({
      id: one.InstanceId ?? "",
      instanceType: one.InstanceType,
      zone: one.Placement?.AvailabilityZone,
    }),
  );
  if (given.length > 0 && (found ?? []).length >= count && given.every(isWhole)) return { kind: "launched", instances: given, refusals };
  return { kind: "unknown", message: "EC2 does not describe (yet) what it launched" };
}

/** Undefined when EC2 could not be asked. */
async function find(ec2: Pick<EC2Client, "send">, which: DescribeInstancesCommandInput): Promise<Instance[] | undefined> {
  try {
    return await describeInstances(ec2, which);
  } catch {
    return undefined;
  }
}

type Shape = { readonly instanceType: string | undefined; readonly zone: string | undefined };

function shapeOf({ subnets }: Ec2FleetConfig, item: CreateFleetInstance): Shape {
  const override = item.LaunchTemplateAndOverrides?.Overrides;
  const subnet = item.SubnetId ?? override?.SubnetId;
  return {
    instanceType: item.InstanceType ?? override?.InstanceType,
    zone: item.AvailabilityZone ?? subnets.find((known) => known.subnet === subnet)?.zone ?? override?.AvailabilityZone,
  };
}

type Given = Shape & { readonly id: string };
const isWhole = (given: Given): given is LaunchedInstance => given.instanceType !== undefined && given.zone !== undefined;
