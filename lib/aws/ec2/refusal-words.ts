import type { CreateFleetError } from "@aws-sdk/client-ec2";

type Told = { readonly code: string; readonly subject: string | undefined; readonly zone: string | undefined; readonly message: string };

/** A record of a launch is read by people; EC2 may give one error for each type in each zone. */
const longest = 1_000;
const longestMessage = 200;

/**
 * EC2's errors in one text: what was refused with each code, by type and zone, and EC2's first words about it. `code` is what the text
 * is put behind, and is not repeated.
 */
export function refusalsInWords(errors: readonly CreateFleetError[], code: string, zoneOf: (subnet: string) => string | undefined): string {
  const told = errors.map((error): Told => {
    const { InstanceType, SubnetId, AvailabilityZone } = error.LaunchTemplateAndOverrides?.Overrides ?? {};
    return {
      code: error.ErrorCode ?? "unknown",
      subject: InstanceType,
      zone: (SubnetId === undefined ? undefined : zoneOf(SubnetId)) ?? AvailabilityZone,
      message: error.ErrorMessage ?? "no message",
    };
  });
  const groups = [...Map.groupBy(told, (each) => each.code)].toSorted(([a], [b]) => Number(b === code) - Number(a === code));
  return groups
    .map(([each, of]) => `${each === code ? "" : `${each}: `}${subjects(of)}${(of[0]?.message ?? "").slice(0, longestMessage)}`)
    .join("; ")
    .slice(0, longest);
}

/** `g5.xlarge, g6.xlarge in us-east-1a, us-east-1b: `; types that were refused in the same zones are told together. */
function subjects(of: readonly Told[]): string {
  const zones = new Map<string, Set<string>>();
  for (const { subject, zone } of of) {
    if (subject === undefined) continue;
    const known = zones.get(subject) ?? new Set();
    if (zone !== undefined) known.add(zone);
    zones.set(subject, known);
  }
  const byZones = Map.groupBy(zones.keys(), (type) => [...(zones.get(type) ?? [])].sort().join(", "));
  const named = [...byZones].map(([where, types]) => `${types.join(", ")}${where === "" ? "" : ` in ${where}`}`);
  return named.length === 0 ? "" : `${named.join("; ")}: `;
}
