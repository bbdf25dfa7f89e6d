import * as z from "zod";

/** The availability zones of nodes: how many of the region's first ones, or which. */
export const Zones = z.union([
  z.int().min(1).max(6),
  z
    .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d+[a-z]$/, "must be the name of a zone, such as us-east-1a"))
    .min(1)
    .max(6)
    .refine((names) => new Set(names).size === names.length, "names a zone twice")
    .refine((names) => new Set(names.map(regionOf)).size === 1, "names zones of several regions"),
]);
type Zones = z.infer<typeof Zones>;

const regionOf = (zone: string): string => zone.slice(0, -1);

export const zoneCount = (zones: Zones): number => (typeof zones === "number" ? zones : zones.length);

/** Most accounts see two zones in this region: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html. */
const regionOfTwo = "us-west-1";

/** Returns why a region does not have the configured zones, or undefined if it may have them, or if the region is not known yet. */
export function zoneProblem(region: string | undefined, zones: Zones): string | undefined {
  if (region === undefined) return undefined;
  const foreign = typeof zones === "number" ? undefined : zones.find((zone) => regionOf(zone) !== region);
  if (foreign !== undefined) return `the configuration names the zone ${foreign}, but the deployment is to ${region}`;
  return region === regionOfTwo && typeof zones === "number" && zones > 2
    ? `most accounts see two zones in ${region}, and the configuration wants ${zones}: set zones to 2, or to the names of the zones that you see`
    : undefined;
}
