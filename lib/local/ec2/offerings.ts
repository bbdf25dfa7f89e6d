import type { Moto } from "./moto.ts";
import { Ec2Error } from "./query-protocol.ts";
import { items, textAt } from "./xml-document.ts";

export type Place = { readonly instanceType: string; readonly zone: string };

/** Which type is to be had where, as moto's catalogue says; asked once for each region. */
export type Offerings = {
  /** Of these types, all places, sorted. */
  places(region: string, types: readonly string[]): Promise<readonly Place[]>;
  /** `unknown`: there is no such type in the region; `elsewhere`: there is, but not in this zone. */
  check(region: string, place: Place): Promise<"offered" | "elsewhere" | "unknown">;
  /** The zone of a subnet; throws InvalidSubnetID.NotFound. */
  zoneOf(region: string, subnet: string): Promise<string>;
};

export function createOfferings(moto: Moto): Offerings {
  const zonesByType = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();
  const zoneBySubnet = new Map<string, string>();

  const load = async (region: string): Promise<ReadonlyMap<string, readonly string[]>> => {
    const answer = await moto.ask(region, { Action: "DescribeInstanceTypeOfferings", LocationType: "availability-zone" });
    const zones = new Map<string, string[]>();
    for (const item of items(answer, "instanceTypeOfferingSet")) {
      const [type, zone] = [textAt(item, "instanceType"), textAt(item, "location")];
      if (type === undefined || zone === undefined) continue;
      const known = zones.get(type);
      if (known) known.push(zone);
      else zones.set(type, [zone]);
    }
    return zones;
  };
  const catalogue = (region: string): Promise<ReadonlyMap<string, readonly string[]>> => {
    const known = zonesByType.get(region);
    if (known) return known;
    const loading = load(region);
    zonesByType.set(region, loading);
    // A failure is not remembered.
    loading.catch(() => zonesByType.delete(region));
    return loading;
  };

  return {
    async places(region, types) {
      const zones = await catalogue(region);
      return types.flatMap((instanceType) => (zones.get(instanceType) ?? []).toSorted().map((zone) => ({ instanceType, zone })));
    },
    async check(region, place) {
      const zones = (await catalogue(region)).get(place.instanceType);
      if (zones === undefined) return "unknown";
      return zones.includes(place.zone) ? "offered" : "elsewhere";
    },
    async zoneOf(region, subnet) {
      const known = zoneBySubnet.get(subnet);
      if (known !== undefined) return known;
      const answer = await moto.ask(region, { Action: "DescribeSubnets", "SubnetId.1": subnet });
      const zone = textAt(items(answer, "subnetSet")[0], "availabilityZone");
      if (zone === undefined) throw new Ec2Error("InvalidSubnetID.NotFound", `The subnet ID '${subnet}' does not exist`);
      zoneBySubnet.set(subnet, zone);
      return zone;
    },
  };
}
