import fc from "fast-check";
import { expect, test } from "vitest";
import { kindsIn } from "../../lib/decide/placement/kinds.ts";
import { allows, conditionsKey, type Wants, wantsKey } from "../../lib/model/wants.ts";
import { keyOf } from "../../lib/optimizer/problem/classes.ts";
import { allowedBy, traitKey } from "../../lib/optimizer/problem/match.ts";
import { anEntry } from "../fakes/builders.ts";

const gib = fc.constantFrom(0, 16, 22.35, 80);
const model = fc.constantFrom("T4", "A10G", "H100");
const zone = fc.constantFrom("us-east-1a", "us-east-1b", "us-east-1c");

const wants: fc.Arbitrary<Wants> = fc.record({
  needs: fc.record({ vcpus: fc.constantFrom(1, 2), memoryGiB: fc.constantFrom(1, 12), gpus: fc.constantFrom(0, 1, 2) }),
  nodes: fc.constantFrom(1, 2),
  datasets: fc.uniqueArray(fc.record({ name: fc.constantFrom("a", "b"), share: fc.constantFrom("whole" as const, "part" as const) }), {
    selector: ({ name }) => name,
  }),
  gpu: fc.record({ memoryGiB: gib, models: fc.uniqueArray(model) }),
  spot: fc.boolean(),
  zones: fc.uniqueArray(zone),
});

/** Returns the same wants, with their lists in another order. */
const reordered = ({ datasets, gpu, zones, ...others }: Wants): Wants => ({
  ...others,
  datasets: datasets.toReversed(),
  gpu: { ...gpu, models: gpu.models.toReversed() },
  zones: zones.toReversed(),
});

const place = fc.record({ market: fc.constantFrom("spot", "on-demand"), zone });
const kind = fc.record({ gpu: fc.option(fc.record({ model, memoryGiB: gib }), { nil: undefined }) });

/** Returns, for each part in which they differ, `one` with that part of `other`. */
function* differingIn(one: Wants, other: Wants): Generator<Wants> {
  for (const part of Object.keys(one) as (keyof Wants)[])
    if (JSON.stringify(one[part]) !== JSON.stringify(other[part])) yield { ...one, [part]: other[part] };
}
const isSame = (one: Wants, other: Wants): boolean => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
const sorted = (of: Wants): object => ({
  ...of,
  datasets: of.datasets.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  gpu: { ...of.gpu, models: of.gpu.models.toSorted() },
  zones: of.zones.toSorted(),
});

test("jobs with different wants are never treated as one kind, whichever part of them differs", () => {
  fc.assert(
    fc.property(wants, wants, (one, other) => {
      for (const changed of differingIn(one, other)) {
        const same = isSame(one, changed);
        expect(wantsKey(one) === wantsKey(changed)).toBe(same);
      }
    }),
  );
});

const offer = fc.record({
  instanceType: fc.constantFrom("a", "b"),
  market: fc.constantFrom("spot" as const, "on-demand" as const),
  zone,
  usdPerHour: fc.constant(1),
});
const resources = { vcpus: 8, memoryGiB: 32, gpus: 1 };

test("jobs of one kind need the same and may run in the same places, and what no place has makes no kind", () => {
  fc.assert(
    fc.property(wants, wants, fc.array(offer), fc.tuple(kind, kind), (one, other, offers, [a, b]) => {
      const types = [
        { name: "a", resources, ...a },
        { name: "b", resources, ...b },
      ];
      const kindOf = kindsIn({ catalogue: { types, offers, refreshedAtMs: 0 }, nodes: [] });
      const changed = { ...one, gpu: other.gpu, spot: other.spot, zones: other.zones };
      const sold = offers.flatMap((each) => types.filter(({ name }) => name === each.instanceType).map((type) => ({ each, type })));
      if (kindOf(anEntry(one)) === kindOf(anEntry(changed))) {
        for (const { each, type } of sold) expect(allows(one, each, type)).toBe(allows(changed, each, type));
      }
      for (const larger of [
        { ...one, nodes: one.nodes + 1 },
        { ...one, needs: { ...one.needs, gpus: one.needs.gpus + 1 } },
      ])
        expect(kindOf(anEntry(larger))).not.toBe(kindOf(anEntry(one)));
      const named = { ...one, gpu: { ...one.gpu, models: ["T4", "junk-1"] } };
      const otherwise = { ...one, gpu: { ...one.gpu, models: ["junk-2", "t4"] } };
      expect(kindOf(anEntry(named))).toBe(kindOf(anEntry(otherwise)));
    }),
  );
});

test("the order in which a job lists its wants makes no difference", () => {
  fc.assert(
    fc.property(wants, (one) => {
      expect(wantsKey(reordered(one))).toBe(wantsKey(one));
    }),
  );
});

test("jobs with the same conditions may run in the same places", () => {
  fc.assert(
    fc.property(wants, wants, place, kind, (one, other, at, of) => {
      fc.pre(conditionsKey(one) === conditionsKey(other));
      expect(allows(one, at, of)).toBe(allows(other, at, of));
    }),
  );
});

test("the optimizer puts jobs into one class only if they may run on the same bins and need the same", () => {
  const need = ({ needs, gpu, nodes, datasets, ...conditions }: Wants) => ({
    ...conditions,
    size: [needs.vcpus, needs.memoryGiB],
    nodes,
    gpu: needs.gpus > 0 ? { ...gpu, count: needs.gpus } : undefined,
    data: Object.fromEntries(datasets.map(({ name, share }) => [`${name} ${share}`, 1])),
  });
  fc.assert(
    fc.property(wants, wants, place, kind, (one, other, at, of) => {
      for (const changed of differingIn(one, other)) {
        const [a, b] = [need(one), need(changed)];
        if (traitKey(a) === traitKey(b))
          expect(allowedBy(a, { ...at, market: "spot", ...of })).toBe(allowedBy(b, { ...at, market: "spot", ...of }));
        // Conditions about GPUs make no difference to a job without GPUs.
        if (one.needs.gpus > 0 && changed.needs.gpus > 0) expect(keyOf(a) === keyOf(b)).toBe(isSame(one, changed));
      }
    }),
  );
});
