import type {
  _InstanceType,
  CreateFleetCommandInput,
  FleetLaunchTemplateOverridesRequest,
  SpotOptionsRequest,
  Tag,
} from "@aws-sdk/client-ec2";
import type { Launch } from "../../model/launch.ts";

/** Where nodes may run: one subnet a zone. */
export type ZoneSubnet = { readonly zone: string; readonly subnet: string };

/** What the tag says by which every instance is found again. */
export const launchTag = "fleetwright:launch";
/** Whose it is: the deployment's name, by which what may be ended is bounded, too. */
export const nameTag = "fleetwright:name";
export const poolTag = "fleetwright:pool";

/** CreateFleet takes no more overrides in one request. */
const mostOverrides = 300;

/**
 * The request for a launch; the same launch always makes the same request, as its client token demands.
 * Undefined when none of its offers lies in a zone with a subnet.
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
    LaunchTemplateConfigs: [{ LaunchTemplateSpecification: template(with_.template), Overrides: overrides.slice(0, mostOverrides) }],
    TagSpecifications: [{ ResourceType: "instance", Tags: tags(launch, with_.name) }],
  };
}

/** All its nodes, of one type and in one zone, or none. Instant fleets know these for spot and on demand alike. */
const whole = (launch: Launch): Pick<SpotOptionsRequest, "SingleInstanceType" | "SingleAvailabilityZone" | "MinTargetCapacity"> =>
  launch.whole ? { SingleInstanceType: true, SingleAvailabilityZone: true, MinTargetCapacity: launch.count } : {};

function tags(launch: Launch, name: string): Tag[] {
  const all = { [launchTag]: launch.id, [poolTag]: launch.pool, [nameTag]: name, "fleetwright:team": launch.team };
  return Object.entries(all).flatMap(([Key, Value]) => (Value === undefined ? [] : [{ Key, Value }]));
}

/** `$Latest`: a deployment makes a new version and leaves the default where it was. */
function template(idOrName: string) {
  return idOrName.startsWith("lt-")
    ? { LaunchTemplateId: idOrName, Version: "$Latest" }
    : { LaunchTemplateName: idOrName, Version: "$Latest" };
}
