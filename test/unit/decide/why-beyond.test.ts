import { expect, test } from "vitest";
import { whyBeyond } from "../../../lib/decide/limits/why-beyond.ts";
import { aCatalogue, anEntry, anOffer, aPool, aType } from "../../fakes/builders.ts";

test("the reason that a limit is too low names the cheapest offer that fits, wherever the catalogue lists it", () => {
  const types = ["g5.xlarge", "g5.2xlarge", "g5.4xlarge"].map((name) => aType({ name }));
  const [a, b, c] = [9, 2, 5].map((usdPerHour, n) => anOffer({ instanceType: types[n]?.name ?? "", usdPerHour }));
  for (const offers of [
    [a, b, c],
    [c, a, b],
    [b, c, a],
  ]) {
    const catalogue = aCatalogue({ types, offers: offers.flatMap((offer) => offer ?? []) });
    const why = whyBeyond(anEntry(), { pool: aPool(), catalogue, limits: { teams: { vision: { usdPerHour: 1 } } } });
    expect(why).toMatch(/^the cheapest that fits, g5\.2xlarge, costs \$2/);
  }
});
