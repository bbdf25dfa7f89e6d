import { describe, expect, test } from "vitest";
import { type AvailableOffers, availableOffers, type Bundle, emptyBundle, extended } from "../../../lib/decide/placement/bundles.ts";
import { anEntry, anOffer, aType } from "../../fakes/builders.ts";

const one = aType();
const four = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
const room = { usdPerHour: 100, gpus: 100 };
const noneDry = () => "free" as const;
const names = (bundle: Bundle) => bundle.offers.map((offer) => `${offer.instanceType}/${offer.zone}/${offer.market}`);

const bundleOf = (from: AvailableOffers, ...entries: ReturnType<typeof anEntry>[]): Bundle => {
  const bundle = entries.reduce<Bundle | "nothing" | "limit">(
    (open, entry) => (typeof open === "object" ? extended(open, entry, room) : open),
    emptyBundle("vision", from),
  );
  if (typeof bundle !== "object") throw new Error(`no bundle: ${bundle}`);
  return bundle;
};

describe("the available offers", () => {
  test("the available offers are listed with the cheapest first, and equally cheap ones by name", () => {
    const offers = [anOffer({ usdPerHour: 2 }), anOffer({ zone: "us-east-1c" }), anOffer({ zone: "us-east-1b" })];
    expect(availableOffers([one], offers, noneDry).map(({ offer }) => offer.zone)).toEqual(["us-east-1b", "us-east-1c", "us-east-1a"]);
  });

  test("the available offers leave out offers that cool down, and offers of unknown types", () => {
    const offers = [anOffer(), anOffer({ zone: "us-east-1b" }), anOffer({ instanceType: "g9.huge" })];
    expect(
      availableOffers([one], offers, (offer) => (offer.zone === "us-east-1b" ? "cooling-down" : "free")).map(({ offer }) => offer),
    ).toEqual([anOffer()]);
  });
});

describe("a bundle", () => {
  test("a bundle offers EC2 the cheapest offer and those of the same market that cost up to half as much more", () => {
    const offers = [
      anOffer({ zone: "a", usdPerHour: 1 }),
      anOffer({ zone: "b", usdPerHour: 1.5 }),
      anOffer({ zone: "c", usdPerHour: 1.51 }),
      anOffer({ zone: "a", market: "on-demand", usdPerHour: 1.2 }),
    ];
    const bundle = bundleOf(availableOffers([one], offers, noneDry), anEntry());
    expect(names(bundle)).toEqual(["g5.xlarge/a/spot", "g5.xlarge/b/spot"]);
    expect(bundle).toMatchObject({ usdPerHour: 1, reserved: { usdPerHour: 1.5, gpus: 1 }, types: [one] });
  });

  test("a bundle reserves the price of its most expensive offer and the GPUs of its largest", () => {
    const offers = [anOffer({ usdPerHour: 1.4 }), anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1 })];
    expect(bundleOf(availableOffers([one, four], offers, noneDry), anEntry()).reserved).toEqual({ usdPerHour: 1.4, gpus: 4 });
  });

  test("a bundle names at most 24 offers", () => {
    const offers = Array.from({ length: 40 }, (_, zone) => anOffer({ zone: `z${zone}` }));
    expect(bundleOf(availableOffers([one], offers, noneDry), anEntry()).offers).toHaveLength(24);
  });

  test("a bundle keeps only offers that hold all its jobs together", () => {
    const offers = [anOffer({ usdPerHour: 1 }), anOffer({ instanceType: "g5.12xlarge", usdPerHour: 1.1 })];
    const bundle = bundleOf(availableOffers([one, four], offers, noneDry), anEntry({ job: "a" }), anEntry({ job: "b" }));
    expect(names(bundle)).toEqual(["g5.12xlarge/us-east-1a/spot"]);
    expect(bundle.types).toEqual([four]);
  });

  test("a bundle of a job that refuses spot and one that accepts it is bought on demand", () => {
    const offers = [anOffer({ instanceType: "g5.12xlarge" }), anOffer({ instanceType: "g5.12xlarge", market: "on-demand", usdPerHour: 9 })];
    const bundle = bundleOf(availableOffers([four], offers, noneDry), anEntry({ job: "a", spot: false }), anEntry({ job: "b" }));
    expect(names(bundle)).toEqual(["g5.12xlarge/us-east-1a/on-demand"]);
  });
});

describe("an offer after its rest", () => {
  const offers = [
    anOffer({ zone: "a", usdPerHour: 1 }),
    anOffer({ zone: "b", usdPerHour: 1.2 }),
    anOffer({ zone: "c", usdPerHour: 4 }),
    anOffer({ zone: "d", usdPerHour: 5 }),
    anOffer({ zone: "e", usdPerHour: 7 }),
  ];
  const restedIn = (...zones: string[]) => availableOffers([one], offers, (offer) => (zones.includes(offer.zone) ? "half-open" : "free"));

  test("an offer after its rest is requested together with similar offers that were not refused", () => {
    expect(names(bundleOf(restedIn("a"), anEntry()))).toEqual(["g5.xlarge/a/spot", "g5.xlarge/b/spot"]);
  });

  test("an offer after its rest is requested with the cheapest offers that were not refused, even if they are much more expensive", () => {
    const bundle = bundleOf(restedIn("a", "b"), anEntry());
    expect(names(bundle)).toEqual(["a", "b", "c", "d"].map((zone) => `g5.xlarge/${zone}/spot`));
    expect(bundle.reserved).toEqual({ usdPerHour: 5, gpus: 1 });
  });

  test("offers after their rest are all requested at once if there are no others", () => {
    expect(bundleOf(restedIn("a", "b", "c", "d", "e"), anEntry()).offers).toEqual(offers);
  });
});

describe("adding a job to a bundle", () => {
  const from = availableOffers([one], [anOffer({ usdPerHour: 2 })], noneDry);

  test("a job cannot be added if no offer holds all jobs", () => {
    expect(extended(bundleOf(from, anEntry({ job: "a" })), anEntry({ job: "b" }), room)).toBe("nothing");
  });

  test.each([
    ["dollars", { usdPerHour: 1.99, gpus: 8 }],
    ["GPUs", { usdPerHour: 8, gpus: 0 }],
  ])("a job cannot be added if the pool has too few %s left", (_what, left) => {
    expect(extended(emptyBundle("vision", from), anEntry(), left)).toBe("limit");
  });

  test("a job can be added if just enough is left", () => {
    expect(extended(emptyBundle("vision", from), anEntry(), { usdPerHour: 2, gpus: 1 })).toMatchObject({ usdPerHour: 2 });
  });
});
