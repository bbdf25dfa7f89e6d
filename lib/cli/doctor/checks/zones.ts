import { anError, aWarning, type Finding } from "../findings/finding.ts";

export type PoolZones = { readonly pool: string; readonly types: readonly string[] };

/** `offered`: what EC2 offers, as `TYPE/ZONE`. */
export type ZoneFacts = { readonly zones: readonly string[]; readonly offered: ReadonlySet<string> };

/** Checks that EC2 offers the types of each pool in the zones of the deployment. */
export function zoneFindings(pools: readonly PoolZones[], { zones, offered }: ZoneFacts): readonly Finding[] {
  return pools.flatMap(({ pool, types }) => {
    if (types.length === 0)
      return [
        anError(
          "zones.no-types",
          `pool ${pool}: the region has no instance type of its families`,
          `edit families of pool ${pool} in the configuration, then npx cdk deploy`,
        ),
      ];
    const there = zones.filter((zone) => types.some((type) => offered.has(`${type}/${zone}`)));
    const mend = `edit families of pool ${pool}, or zones, in the configuration, then npx cdk deploy`;
    if (there.length === 0) return [anError("zones.none", `pool ${pool}: EC2 offers none of its types in ${zones.join(", ")}`, mend)];
    if (there.length > 1) return [];
    return [aWarning("zones.one", `pool ${pool}: EC2 offers its types in ${there[0]} only, so one shortage stops the pool`, mend)];
  });
}

/** Checks, before the first deployment, that the region has as many zones as the stack takes. */
export function zoneCountFindings(zones: readonly string[], wanted: number): readonly Finding[] {
  if (zones.length >= wanted) return [];
  return [
    anError(
      "zones.too-few",
      `the configuration asks for ${wanted} zones, and this account sees ${zones.length} in the region: ${zones.join(", ") || "none"}`,
      `set zones: ${Math.max(1, zones.length)} in the configuration`,
    ),
  ];
}
