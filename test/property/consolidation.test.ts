import fc from "fast-check";
import { expect, test } from "vitest";
import { consolidation } from "../../lib/decide/scaling/consolidation.ts";
import { freeOn, type Node } from "../../lib/model/node.ts";
import { fits, minus, type Resources } from "../../lib/model/values/resources.ts";
import { aNode, anAssignment, anOffer, aPool, aType, monday } from "../fakes/builders.ts";
import { stormRuns } from "./storm-runs.ts";

const pool = aPool({ consolidateSeconds: 60, shared: true });
const resources: Resources = { vcpus: 32, memoryGiB: 128, gpus: 8 };
const nowMs = monday + 3_600_000;

const held = fc.record({
  needs: fc.record({ vcpus: fc.constantFrom(1, 4, 12), memoryGiB: fc.constantFrom(2, 30), gpus: fc.constantFrom(0, 1, 3) }),
  spot: fc.boolean(),
  attempt: fc.constantFrom(1, 1, 1, 2),
  phase: fc.constantFrom("running" as const, "running" as const, "running" as const, "placed" as const),
});
const nodes: fc.Arbitrary<readonly Node[]> = fc
  .array(
    fc.record({
      held: fc.array(held, { maxLength: 4 }),
      usdPerHour: fc.constantFrom(1, 2, 9),
      market: fc.constantFrom("spot" as const, "on-demand" as const),
      restedMs: fc.constantFrom(10_000, 1_200_000, 3_600_000),
    }),
    { minLength: 2, maxLength: 8 },
  )
  .map((all) =>
    all.map(({ held: wanted, usdPerHour, market, restedMs }, at) => {
      let free = resources;
      const assignments = wanted.flatMap((each, n) => {
        if (!fits(each.needs, free)) return [];
        free = minus(free, each.needs);
        return [anAssignment({ ...each, job: `job-${at}-${n}` })];
      });
      const type = aType({ resources });
      const offer = anOffer({ usdPerHour, market });
      const times = { launchedAtMs: monday, readyAtMs: monday, lastBusyMs: nowMs - restedMs };
      return aNode({ id: `node-${at}`, team: undefined, type, offer, assignments, ...times });
    }),
  );

test("all work of drained nodes has room at once on nodes that stay because of their own work, and nothing moves twice", () => {
  let emptied = 0;
  fc.assert(
    fc.property(nodes, fc.integer({ min: 0, max: 4 }), fc.nat(), (all, most, salt) => {
      const steps = consolidation(all, pool, { nowMs, most });
      emptied += steps.length;
      expect(steps.length).toBeLessThanOrEqual(most);
      const leaving = new Set(steps.map(({ node }) => node));
      const moving = all.filter(({ id }) => leaving.has(id)).flatMap((node) => node.assignments);
      expect(moving.filter(({ attempt, phase }) => attempt !== 1 || phase !== "running")).toEqual([]);
      const staying = all.filter(({ id, assignments }) => !leaving.has(id) && assignments.length > 0);
      expect(
        packs(
          moving,
          staying.map((node) => ({ node, free: freeOn(node) })),
        ),
      ).toBe(true);
      const turned = all.toSorted((a, b) => ((Number(a.id.slice(5)) + salt) % all.length) - ((Number(b.id.slice(5)) + salt) % all.length));
      expect(consolidation(turned, pool, { nowMs, most })).toEqual(steps);
    }),
    { numRuns: stormRuns(10_000) },
  );
  expect(emptied).toBeGreaterThan(stormRuns(10_000) / 10);
});

type Moving = { readonly spot: boolean; readonly needs: Resources };

/** Tries all assignments. */
function packs([first, ...others]: readonly Moving[], rooms: readonly { readonly node: Node; readonly free: Resources }[]): boolean {
  if (!first) return true;
  return rooms.some(({ node, free }, at) => {
    if (node.offer.market === "spot" && !first.spot) return false;
    if (!fits(first.needs, free)) return false;
    return packs(others, rooms.with(at, { node, free: minus(free, first.needs) }));
  });
}
