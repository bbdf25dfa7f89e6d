import type { CreateFleetError } from "@aws-sdk/client-ec2";

type ErrorDetail = {
  readonly code: string;
  readonly subject: string | undefined;
  readonly zone: string | undefined;
  readonly message: string;
};

/** The longest text, in characters, because people read it and EC2 may return one error per type and zone. */
const longest = 1_000;
const longestMessage = 200;

/**
 * Returns EC2's errors as one text: per code, the refused types and zones, and EC2's first message. The text follows `code`, which
 * is therefore not repeated.
 */
export function refusalsInWords(errors: readonly CreateFleetError[], code: string, zoneOf: (subnet: string) => string | undefined): string {
  const details = errors.map((error): ErrorDetail => {
    const { InstanceType, SubnetId, AvailabilityZone } = error.LaunchTemplateAndOverrides?.Overrides ?? {};
    return {
      code: error.ErrorCode ?? "unknown",
      subject: InstanceType,
      zone: (SubnetId === undefined ? undefined : zoneOf(SubnetId)) ?? AvailabilityZone,
      message: error.ErrorMessage ?? "no message",
    };
  });
  const groups = [...Map.groupBy(details, (each) => each.code)].toSorted(([a], [b]) => Number(b === code) - Number(a === code));
  return groups
    .map(([each, of]) => `${each === code ? "" : `${each}: `}${subjects(of)}${(of[0]?.message ?? "").slice(0, longestMessage)}`)
    .join("; ")
    .slice(0, longest);
}

/** Returns `g5.xlarge, g6.xlarge in us-east-1a, us-east-1b: `. Types that were refused in the same zones are listed together. */
function subjects(of: readonly ErrorDetail[]): string {
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
