import {
  CreateFleetCommand,
  type CreateFleetCommandOutput,
  type CreateFleetError,
  type CreateFleetInstance,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { inWords } from "../../model/errors/in-words.ts";
import type { Launch, LaunchedInstance, LaunchOutcome, OfferRefusal } from "../../model/launch.ts";
import { own } from "../../model/values/own.ts";
import type { Fleet, FoundInstances } from "../../ports/fleet.ts";
import type { Log } from "../../ports/log.ts";
import { awsCodeKind, awsErrorCode, awsErrorKind, isDefinite } from "../errors.ts";
import { endInstances, findImpaired, findInstances, lookAtInstances } from "./fleet-instances.ts";
import { blamed, refusalsOf, refusedEach, refusedWhole, unsoldIn } from "./fleet-refusals.ts";
import { fleetRequest, launchTag, type ZoneSubnet } from "./fleet-request.ts";

export type Ec2FleetConfig = {
  readonly ec2: Pick<EC2Client, "send">;
  /** The deployment's name, with which every instance is tagged. */
  readonly name: string;
  /** Each pool's launch template, by id or name. */
  readonly launchTemplates: Readonly<Record<string, string>>;
  readonly subnets: readonly ZoneSubnet[];
  /** Receives a line per failed call about instances, because outcomes do not contain the error. @default none */
  readonly log?: Log | undefined;
};

/** Launches with CreateFleet `instant`: EC2 returns at once what it launched, and keeps no fleet that would replace it. */
export const ec2Fleet = (config: Ec2FleetConfig): Fleet => ({
  async launch(launch) {
    const template = own(config.launchTemplates, launch.pool);
    if (template === undefined)
      return turnedAway(launch, { code: "NoLaunchTemplate", message: `pool ${launch.pool} has no launch template` });
    const request = fleetRequest(launch, { name: config.name, template, subnets: config.subnets });
    if (request === undefined) return turnedAway(launch, { code: "NoSubnet", message: "no offer is in a zone that has a subnet" });
    let response: CreateFleetCommandOutput;
    try {
      response = await config.ec2.send(new CreateFleetCommand(request));
    } catch (error) {
      return outcomeOfError(launch, error);
    }
    return outcomeOf(config, launch, response);
  },

  find: (launch) => findInstances(config.ec2, { Filters: [{ Name: `tag:${launchTag}`, Values: [launch] }] }),
  terminate: (instances) => endInstances(config.ec2, instances, config.log),
  look: (instances) => lookAtInstances(config.ec2, instances, config.log),
  impaired: (instances) => findImpaired(config.ec2, instances, config.log),
});

/** Returns the outcome of CreateFleet's response: instances, and the reason for each offer that failed. It is final for this token. */
async function outcomeOf(config: Ec2FleetConfig, launch: Launch, response: CreateFleetCommandOutput): Promise<LaunchOutcome> {
  const given = (response.Instances ?? []).flatMap((item) => (item.InstanceIds ?? []).map((id) => ({ id, ...shapeOf(config, item) })));
  // EC2 can throttle the fleet's own launches, which says nothing about the offer that the error names.
  const [errors, throttled] = byKind(response.Errors ?? []);
  if (given.length === 0 && errors.length === 0 && throttled)
    return { kind: "throttled", message: `${throttled.ErrorCode}: ${throttled.ErrorMessage ?? "no message"}`, final: true };
  if (given.length === 0) return refusedEach(errors, launch, config.subnets);
  const refusals = refusalsOf(errors, launch, config.subnets);
  const whole = given.filter(isWhole);
  if (whole.length === given.length) return { kind: "launched", instances: whole, refusals };
  return outcomeOfFound(await findInstances(config.ec2, { InstanceIds: given.map(({ id }) => id) }), { count: given.length, refusals });
}

/** Returns the errors that concern offers, and the first one that only reports throttling. */
function byKind(all: readonly CreateFleetError[]): [errors: CreateFleetError[], throttled: CreateFleetError | undefined] {
  const isThrottled = ({ ErrorCode = "" }: CreateFleetError): boolean => awsCodeKind(ErrorCode) === "throttled";
  return [all.filter((error) => !isThrottled(error)), all.find(isThrottled)];
}

function outcomeOfError(launch: Launch, error: unknown): LaunchOutcome {
  const kind = awsErrorKind(error);
  const code = awsErrorCode(error);
  const message = inWords(error);
  if (kind === "capacity" || kind === "limit") return refusedWhole(launch, { code, message });
  if (kind === "throttled") return { kind, message: `${code}: ${message}` };
  const unsold = isDefinite(error) ? unsoldIn(code, message, launch.offers) : [];
  if (unsold.length > 0) return { kind: "refused", code, message, refusals: blamed(unsold, code, "capacity") };
  return isDefinite(error)
    ? turnedAway(launch, { code, message, error }, kind === "conflict")
    : { kind: "unknown", message: `${code}: ${message}`, error };
}

/** Returns the outcome of a request that has certainly launched nothing, whatever its token. */
const turnedAway = (launch: Launch, why: { code: string; message: string; error?: unknown }, isConflict = false): LaunchOutcome => ({
  ...why,
  kind: "turned-away",
  refusals: blamed(launch.offers, why.code),
  isConflict,
});

/** Returns `unknown` until all instances are visible, which often takes some seconds after a launch; the caller repeats the call then. */
function outcomeOfFound(read: FoundInstances, { count, refusals }: { count: number; refusals: readonly OfferRefusal[] }): LaunchOutcome {
  const found = read.kind === "read" ? read.instances : [];
  if (found.length < count) return { kind: "unknown", message: "EC2 does not describe yet what it launched" };
  return { kind: "launched", instances: found.map(({ id, instanceType, zone }) => ({ id, instanceType, zone })), refusals };
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
