import type { Launch, LaunchedInstance, LaunchOutcome } from "../../../lib/model/launch.ts";
import { type Catalogue, type InstanceType, type Offer, offerName, usable } from "../../../lib/model/offer.ts";
import { type Random, seeded } from "../../../lib/optimizer/engines/random.ts";

/** Instance families: their GPU, their sizes, and the on-demand dollars per hour of the smallest, close to AWS's prices in us-east-1. */
const families: readonly { name: string; model: string; memoryGiB: number; usd: number; sizes: readonly (readonly [string, number])[] }[] =
  [
    {
      name: "g4dn",
      model: "T4",
      memoryGiB: 16,
      usd: 0.526,
      sizes: [
        ["xlarge", 1],
        ["12xlarge", 4],
        ["metal", 8],
      ],
    },
    {
      name: "g5",
      model: "A10G",
      memoryGiB: 22,
      usd: 1.006,
      sizes: [
        ["xlarge", 1],
        ["12xlarge", 4],
        ["48xlarge", 8],
      ],
    },
    {
      name: "g6",
      model: "L4",
      memoryGiB: 22,
      usd: 0.805,
      sizes: [
        ["xlarge", 1],
        ["12xlarge", 4],
        ["48xlarge", 8],
      ],
    },
    {
      name: "g6e",
      model: "L40S",
      memoryGiB: 44,
      usd: 1.861,
      sizes: [
        ["xlarge", 1],
        ["12xlarge", 4],
        ["48xlarge", 8],
      ],
    },
    {
      name: "p3",
      model: "V100",
      memoryGiB: 16,
      usd: 3.06,
      sizes: [
        ["2xlarge", 1],
        ["8xlarge", 4],
        ["16xlarge", 8],
      ],
    },
  ];
const zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
const spotShare = 0.4;

/** The average spells of a type, in minutes: dry for an hour and a quarter, then available for less than twenty minutes. */
const dryMinutes = 75;
const wetMinutes = (dryMinutes * 0.2) / 0.8;
/** The most nodes that an offer has in one spell. */
const maxStock = 12;

/** An EC2 in which, at any time, four in five types are dry in all zones and both markets, and the others have few instances. */
export type ScarceEc2 = {
  readonly catalogue: Catalogue;
  launch(launch: Launch, nowMs: number): LaunchOutcome;
  /** Returns the share of the time until then during which its types were dry. */
  dryShare(untilMs: number): number;
};

type Spell = { readonly fromMs: number; readonly toMs: number; readonly stock: Map<string, number> };

/** Returns an EC2 whose spells and stocks depend on the seed only, not on the calls that it gets. */
export function scarceEc2(seed: number, lengthMs: number): ScarceEc2 {
  const catalogue = catalogueOf();
  const spells = new Map(catalogue.types.map(({ name }, n) => [name, spellsOf(name, seeded(seed * 1_000 + n), lengthMs)]));
  let launched = 0;
  const room = (offer: Offer, nowMs: number): { left: number; spell?: Spell } => {
    const spell = spells.get(offer.instanceType)?.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs);
    return spell ? { left: spell.stock.get(offerName(offer)) ?? 0, spell } : { left: 0 };
  };
  return {
    catalogue,
    launch(launch, nowMs) {
      const instances: LaunchedInstance[] = [];
      const short: Offer[] = [];
      for (const offer of launch.offers.toSorted((a, b) => a.usdPerHour - b.usdPerHour || (offerName(a) < offerName(b) ? -1 : 1))) {
        const { left, spell } = room(offer, nowMs);
        const given = Math.min(left, launch.count - instances.length);
        spell?.stock.set(offerName(offer), left - given);
        for (let n = 0; n < given; n += 1) {
          instances.push({ id: `i-${String(++launched).padStart(8, "0")}`, instanceType: offer.instanceType, zone: offer.zone });
        }
        if (instances.length === launch.count) break;
        short.push(offer);
      }
      const code = "InsufficientInstanceCapacity";
      const refusals = short.map(({ instanceType, zone, market }) => ({ instanceType, zone, market, code, why: "capacity" as const }));
      return instances.length > 0 ? { kind: "launched", instances, refusals } : { kind: "refused", code, message: code, refusals };
    },
    dryShare(untilMs) {
      const wet = [...spells.values()].flat().reduce((sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(toMs, untilMs) - fromMs), 0);
      return 1 - wet / (untilMs * spells.size);
    },
  };
}

function catalogueOf(): Catalogue {
  const types = families.flatMap(({ name, model, memoryGiB, sizes }) =>
    sizes.map(
      ([size, gpus]): InstanceType => ({
        name: `${name}.${size}`,
        resources: usable({ vcpus: 8 * gpus, memoryGiB: 32 * gpus, gpus }),
        gpu: { model, memoryGiB },
      }),
    ),
  );
  const usdOf = new Map(families.flatMap(({ name, usd, sizes }) => sizes.map(([size, gpus]) => [`${name}.${size}`, usd * gpus * 1.15])));
  const offers = types.flatMap(({ name }) =>
    zones.flatMap((zone, n) => {
      const usd = usdOf.get(name) ?? 0;
      const spot = Math.round(usd * spotShare * (1 + n / 20) * 1e4) / 1e4;
      return [
        { instanceType: name, zone, market: "spot" as const, usdPerHour: spot },
        { instanceType: name, zone, market: "on-demand" as const, usdPerHour: Math.round(usd * 1e4) / 1e4 },
      ];
    }),
  );
  return { types, offers, refreshedAtMs: 0 };
}

/** Returns when a type is available, and its stock. The lengths are exponential, so that no memory can predict an end. */
function spellsOf(type: string, of: Random, lengthMs: number): Spell[] {
  const lasting = (minutes: number): number => Math.round(-Math.log(1 - of()) * minutes * 60_000);
  const spells: Spell[] = [];
  for (let atMs = of() < 0.8 ? lasting(dryMinutes) : 0; atMs < lengthMs; ) {
    const toMs = atMs + lasting(wetMinutes);
    const stock = new Map(
      zones.flatMap((zone) =>
        (["spot", "on-demand"] as const).map((market) => [
          offerName({ instanceType: type, zone, market }),
          Math.floor(of() * (maxStock + 1)),
        ]),
      ),
    );
    spells.push({ fromMs: atMs, toMs, stock });
    atMs = toMs + lasting(dryMinutes);
  }
  return spells;
}
