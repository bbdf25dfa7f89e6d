import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DatasetNeed } from "../../lib/decide/shards/needs.ts";
import { planMap } from "../../lib/decide/shards/plan-map.ts";
import { deal, type Weighted } from "../../lib/decide/shards/rendezvous.ts";
import type { Shard } from "../../lib/model/dataset.ts";

const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.nat(100_000).map((n) => `train/shard-${n}.tar`),
);
const keys = fc.uniqueArray(key, { minLength: 0, maxLength: 200 });
const node = fc.nat({ max: 2 ** 32 }).map((n) => `i-${n.toString(16).padStart(17, "0")}`);
const nodes = fc.uniqueArray(fc.record({ node, weight: fc.integer({ min: 1, max: 192 }) }), {
  minLength: 1,
  maxLength: 12,
  selector: (each) => each.node,
});
const someKeys = (count: number, seed = 0): string[] => Array.from({ length: count }, (_, n) => `train/shard-${seed + n}.tar`);

describe("a deal", () => {
  test("a deal gives each key to exactly one of the nodes, in whatever order they are listed", () => {
    fc.assert(
      fc.property(keys, nodes, (all, those) => {
        const holders = deal(all, those);
        expect(holders).toHaveLength(all.length);
        for (const holder of holders) expect(those.map((each) => each.node)).toContain(holder);
        expect(deal(all, [...those].reverse())).toEqual(holders);
        expect(deal([...all].reverse(), those)).toEqual([...holders].reverse());
      }),
    );
  });

  test("a deal moves only the keys of a node that leaves", () => {
    fc.assert(
      fc.property(keys, nodes, fc.nat(), (all, those, at) => {
        const leaver = those[at % those.length];
        const before = deal(all, those);
        const after = deal(
          all,
          those.filter((each) => each !== leaver),
        );
        for (const [n, holder] of before.entries()) if (holder !== leaver?.node) expect(after[n]).toBe(holder);
      }),
    );
  });

  test("a deal moves only the keys of a node that joins", () => {
    fc.assert(
      fc.property(keys, nodes, node, fc.integer({ min: 1, max: 192 }), (all, those, name, weight) => {
        fc.pre(those.every((each) => each.node !== name));
        const before = deal(all, those);
        const after = deal(all, [...those, { node: name, weight }]);
        for (const [n, holder] of after.entries()) if (holder !== name) expect(holder).toBe(before[n]);
      }),
    );
  });

  test("a deal gives more keys to a node whose weight grows, and takes none from it", () => {
    fc.assert(
      fc.property(keys, nodes, fc.nat(), (all, those, at) => {
        const grown = those[at % those.length];
        const before = deal(all, those);
        const after = deal(
          all,
          those.map((each) => (each === grown ? { ...each, weight: each.weight * 2 } : each)),
        );
        for (const [n, holder] of before.entries()) if (holder === grown?.node) expect(after[n]).toBe(holder);
      }),
    );
  });

  test("a deal respects weights within four standard deviations, even for keys that differ in one digit", () => {
    const count = 20_000;
    const those: Weighted[] = [1, 1, 2, 4, 8].map((weight, n) => ({ node: `i-0000000000000000${n}`, weight }));
    const total = those.reduce((sum, each) => sum + each.weight, 0);
    for (const seed of [0, 1_000_000]) {
      const holders = deal(someKeys(count, seed), those);
      for (const { node: name, weight } of those) {
        const p = weight / total;
        const got = holders.filter((holder) => holder === name).length;
        expect(Math.abs(got - count * p), `${name} got ${got} of ${count * p}`).toBeLessThan(4 * Math.sqrt(count * p * (1 - p)));
      }
    }
  });

  test("a node that joins n equal nodes takes one key in n + 1, evenly from each", () => {
    const count = 20_000;
    const those: Weighted[] = Array.from({ length: 9 }, (_, n) => ({ node: `i-${n}`, weight: 4 }));
    const before = deal(someKeys(count), those);
    const after = deal(someKeys(count), [...those, { node: "i-new", weight: 4 }]);
    const givers = before.filter((_, n) => after[n] === "i-new");
    expect(Math.abs(givers.length - count / 10)).toBeLessThan(4 * Math.sqrt(count * 0.1 * 0.9));
    for (const each of those) {
      const gave = givers.filter((giver) => giver === each.node).length;
      expect(Math.abs(gave - count / 90), `${each.node} gave ${gave}`).toBeLessThan(4 * Math.sqrt(count / 90));
    }
  });

  test("a deal without nodes has no holders, and known deals never change", () => {
    expect(deal(["a", "b"], [])).toEqual([undefined, undefined]);
    const three = ["i-a", "i-b", "i-c"].map((name, n) => ({ node: name, weight: n + 1 }));
    // A version of Fleetwright that deals differently would move every existing dataset.
    expect(deal(someKeys(12), three)).toMatchInlineSnapshot(`
      [
        "i-b",
        "i-a",
        "i-c",
        "i-c",
        "i-b",
        "i-b",
        "i-b",
        "i-c",
        "i-b",
        "i-b",
        "i-a",
        "i-b",
      ]
    `);
  });
});

describe("a plan of a new map", () => {
  const shard = fc.record({ key, bytes: fc.nat(1_000), etag: fc.constantFrom("e1", "e2", "e3") });
  const shards: fc.Arbitrary<Shard[]> = fc.uniqueArray(shard, { maxLength: 60, selector: (each) => each.key });
  const needs: fc.Arbitrary<DatasetNeed[]> = fc.uniqueArray(
    fc.record({ node, weight: fc.integer({ min: 1, max: 8 }), share: fc.constantFrom("whole" as const, "part" as const) }),
    { maxLength: 8, selector: (each) => `${each.node} ${each.share}` },
  );
  const names = (all: readonly Shard[]): string[] => all.map((each) => `${each.key} ${each.etag} ${each.bytes}`);

  test("a plan gives whole nodes all shards, and deals each shard to exactly one part node", () => {
    fc.assert(
      fc.property(shards, needs, (all, those) => {
        const { portions, moved } = planMap({ shards: all, needs: those }, undefined);
        expect(moved).toBe(0);
        expect(portions.map(({ node: name, share }) => [name, share])).toEqual(those.map((need) => [need.node, need.share]));
        for (const portion of portions) {
          expect(portion.gains).toBe(portion.shards.length);
          expect(portion.bytes).toBe(portion.shards.reduce((sum, each) => sum + each.bytes, 0));
          if (portion.share === "whole") expect(portion.shards).toEqual(all);
        }
        const dealt = portions.filter((portion) => portion.share === "part").flatMap((portion) => names(portion.shards));
        expect(dealt.sort()).toEqual(those.some((need) => need.share === "part") ? names(all).sort() : []);
      }),
    );
  });

  test("a plan counts what it takes from one node as what another one gains", () => {
    fc.assert(
      fc.property(shards, needs, needs, (all, first, second) => {
        const before = { shards: all, needs: first };
        const { portions, moved, movedBytes } = planMap({ shards: all, needs: second }, before);
        const gained = portions.filter((portion) => portion.share === "part").reduce((sum, portion) => sum + portion.gains, 0);
        const hadParts = first.some((need) => need.share === "part");
        if (hadParts && second.some((need) => need.share === "part")) expect(moved).toBe(gained);
        expect(movedBytes).toBeLessThanOrEqual(all.reduce((sum, each) => sum + each.bytes, 0));
      }),
    );
  });

  test("a plan without a change moves, gains and loses nothing", () => {
    fc.assert(
      fc.property(shards, needs, (all, those) => {
        const { portions, moved } = planMap({ shards: all, needs: those }, { shards: all, needs: those });
        expect(moved).toBe(0);
        for (const { gains, gainedBytes, losses } of portions) expect([gains, gainedBytes, losses]).toEqual([0, 0, 0]);
      }),
    );
  });

  test("a plan has a shard with new content fetched again, although it does not move", () => {
    const need: DatasetNeed = { node: "i-a", weight: 1, share: "part" };
    const [one, two] = [
      { key: "a", bytes: 1, etag: "e1" },
      { key: "b", bytes: 2, etag: "e1" },
    ];
    const plan = planMap({ shards: [one, { ...two, etag: "e2" }], needs: [need] }, { shards: [one, two], needs: [need] });
    expect(plan).toMatchObject({ moved: 0, portions: [{ gains: 1, gainedBytes: 2, losses: 1 }] });
  });
});

test("100,000 shards are dealt out to 100 nodes", () => {
  const those = Array.from({ length: 100 }, (_, n) => ({ node: `i-${n}`, weight: 8 }));
  expect(deal(someKeys(100_000), those)).toHaveLength(100_000);
});
