import type {
  _InstanceType,
  CreateFleetCommandInput,
  FleetLaunchTemplateOverridesRequest,
  SpotOptionsRequest,
  Tag,
} from "@aws-sdk/client-ec2";
import type { Launch } from "../../model/launch.ts";

/** A subnet in which nodes may run; there is one per zone. */
export type ZoneSubnet = { readonly zone: string; readonly subnet: string };

/** The tag with the launch's id, by which instances are found again. */
export const launchTag = "fleetwright:launch";
/** The tag with the deployment's name, which also limits the instances that may be terminated. */
export const nameTag = "fleetwright:name";
export const poolTag = "fleetwright:pool";

/** CreateFleet's limit of overrides per request. */
const maxOverrides = 300;

/**
 * Returns the request for a launch, or undefined if none of its offers is in a zone with a subnet. The same launch always results
 * in the same request, because its client token requires that.
 */
export function fleetRequest(
  launch: Launch,
  with_: { readonly name: string; readonly template: string; readonly subnets: readonly ZoneSubnet[] },
): CreateFleetCommandInput | undefined {
  const overrides = launch.offers.flatMap((offer): FleetLaunchTemplateOverridesRequest[] => {
    const place = with_.subnets.find(({ zone }) => zone === offer.zone);
    // EC2 knows more types than the SDK's list of names.
    return place ? [{ InstanceType: offer.instanceType as _InstanceType, SubnetId: place.subnet }] : [];
  });
  if (overrides.length === 0) return undefined;
  return {
    Type: "instant",
    ClientToken: launch.clientToken,
    TargetCapacitySpecification: { TotalTargetCapacity: launch.count, DefaultTargetCapacityType: launch.market },
    ...(launch.market === "spot"
      ? { SpotOptions: { AllocationStrategy: "price-capacity-optimized", InstanceInterruptionBehavior: "terminate", ...whole(launch) } }
      : { OnDemandOptions: { AllocationStrategy: "lowest-price", ...whole(launch) } }),
    LaunchTemplateConfigs: [{ LaunchTemplateSpecification: template(with_.template), Overrides: overrides.slice(0, maxOverrides) }],
    TagSpecifications: [{ ResourceType: "instance", Tags: tags(launch, with_.name) }],
  };
}

/** Requests all nodes of one type in one zone, or none. Instant fleets support this for spot and on demand. */
const whole = (launch: Launch): Pick<SpotOptionsRequest, "SingleInstanceType" | "SingleAvailabilityZone" | "MinTargetCapacity"> =>
  launch.whole ? { SingleInstanceType: true, SingleAvailabilityZone: true, MinTargetCapacity: launch.count } : {};

function tags(launch: Launch, name: string): Tag[] {
  const all = { [launchTag]: launch.id, [poolTag]: launch.pool, [nameTag]: name, "fleetwright:team": launch.team };
  return Object.entries(all).flatMap(([Key, Value]) => (Value === undefined ? [] : [{ Key, Value }]));
}

/** Returns the specification of a template with version `$Latest`, because a deployment adds a version without changing the default. */
function template(idOrName: string) {
  return idOrName.startsWith("lt-")
    ? { LaunchTemplateId: idOrName, Version: "$Latest" }
    : { LaunchTemplateName: idOrName, Version: "$Latest" };
}
