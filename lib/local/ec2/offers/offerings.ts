import { Ec2Error } from "../../requests/query-protocol.ts";
import type { Moto } from "../moto/moto.ts";
import { items, textAt } from "../moto/xml-document.ts";
import { onDemandPrice, pricedTypes } from "./on-demand-prices.ts";

export type TypeInZone = { readonly instanceType: string; readonly zone: string };

/** The zones of each type, from moto's catalogue. It is read once per region, and once more per type that has no price here. */
export type Offerings = {
  /** Returns all places of the types that have a price here, sorted. */
  pricedPlaces(region: string): Promise<readonly TypeInZone[]>;
  /** Returns `unknown` if there is no such type in the region, and `elsewhere` if there is one, but not in this zone. */
  check(region: string, place: TypeInZone): Promise<"offered" | "elsewhere" | "unknown">;
  /** Returns the zone of a subnet. Throws InvalidSubnetID.NotFound. */
  zoneOf(region: string, subnet: string): Promise<string>;
};

export function createOfferings(moto: Moto): Offerings {
  const catalogues = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();
  const zoneBySubnet = new Map<string, string>();

  const load = async (region: string, types: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> => {
    const values = Object.fromEntries(types.map((type, i) => [`Filter.1.Value.${i + 1}`, type]));
    const response = await moto.call(region, {
      Action: "DescribeInstanceTypeOfferings",
      LocationType: "availability-zone",
      "Filter.1.Name": "instance-type",
      ...values,
    });
    const zones = new Map<string, string[]>();
    for (const item of items(response, "instanceTypeOfferingSet")) {
      const [type, zone] = [textAt(item, "instanceType"), textAt(item, "location")];
      if (type === undefined || zone === undefined) continue;
      const known = zones.get(type);
      if (known) known.push(zone);
      else zones.set(type, [zone]);
    }
    return zones;
  };
  /** Reads the zones of these types only, because moto takes a second to write its whole catalogue. */
  const catalogue = (region: string, types: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> => {
    const key = [region, ...types].join(" ");
    const known = catalogues.get(key);
    if (known) return known;
    const loading = load(region, types);
    catalogues.set(key, loading);
    // A failure is not remembered.
    loading.catch(() => catalogues.delete(key));
    return loading;
  };

  return {
    async pricedPlaces(region) {
      const zones = await catalogue(region, pricedTypes);
      return pricedTypes.flatMap((instanceType) => (zones.get(instanceType) ?? []).toSorted().map((zone) => ({ instanceType, zone })));
    },
    async check(region, { instanceType, zone }) {
      const types = onDemandPrice(instanceType) === undefined ? [instanceType] : pricedTypes;
      const zones = (await catalogue(region, types)).get(instanceType);
      if (zones === undefined) return "unknown";
      return zones.includes(zone) ? "offered" : "elsewhere";
    },
    async zoneOf(region, subnet) {
      const known = zoneBySubnet.get(subnet);
      if (known !== undefined) return known;
      const response = await moto.call(region, { Action: "DescribeSubnets", "SubnetId.1": subnet });
      const zone = textAt(items(response, "subnetSet")[0], "availabilityZone");
      if (zone === undefined) throw new Ec2Error("InvalidSubnetID.NotFound", `The subnet ID '${subnet}' does not exist`);
      zoneBySubnet.set(subnet, zone);
      return zone;
    },
  };
}
