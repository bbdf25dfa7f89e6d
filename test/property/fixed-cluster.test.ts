import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FixedNode, type FixedRoom, fixedRooms, mostUseful, take } from "../bench/research/fixed/choose.ts";
import { type Demand, isShared, type Need, wholeGpu } from "../bench/research/fixed/needs.ts";
import { accepts } from "../bench/research/fixed/shapes.ts";

const models = ["a", "b"] as const;

const need: fc.Arbitrary<Need> = fc
  .record({
    vcpuMilli: fc.integer({ min: 0, max: 16_000 }),
    memoryMiB: fc.integer({ min: 0, max: 64_000 }),
    gpus: fc.integer({ min: 0, max: 4 }),
    gpuMilli: fc.integer({ min: 1, max: wholeGpu }),
    models: fc.subarray([...models]),
  })
  .map((each) => ({ ...each, gpuMilli: each.gpus === 0 ? 0 : each.gpus === 1 ? each.gpuMilli : wholeGpu }));

const nodes: fc.Arbitrary<readonly FixedNode[]> = fc
  .array(
    fc.record({
      model: fc.constantFrom(...models),
      vcpuMilli: fc.integer({ min: 0, max: 64_000 }),
      memoryMiB: fc.integer({ min: 0, max: 256_000 }),
      gpus: fc.array(fc.constantFrom(0, 190, 500, wholeGpu, wholeGpu), { maxLength: 8 }),
    }),
    { maxLength: 8 },
  )
  .map((all) => all.map((each, index) => ({ ...each, name: `n${index}` })));

const jobs = fc.array(need, { maxLength: 40 });
const demandOf = (all: readonly Need[]): Demand => all.map((each) => ({ need: each, count: 1 }));

/** Returns where each job went: its node and GPUs, or undefined. */
function placed(on: readonly FixedNode[], all: readonly Need[]) {
  const chooser = mostUseful(demandOf(all));
  const rooms = fixedRooms(on, chooser.shapes);
  const went = all.map((each) => {
    const choice = chooser.choose(rooms, each);
    const could = rooms.some((room) => holds(room, each));
    if (choice) take(choice, each);
    return { need: each, could, node: choice?.room.node.name, gpus: choice?.gpus ?? [] };
  });
  return { went, rooms };
}

/** Independent of the product's own check. */
function holds({ node, memoryMiB, shape, gpus }: FixedRoom, job: Need): boolean {
  const enough = gpus.filter((free) => free >= job.gpuMilli).length >= job.gpus;
  const suits = job.gpus === 0 || job.models.length === 0 || job.models.includes(node.model);
  return suits && enough && memoryMiB >= job.memoryMiB && shape.vcpuMilli >= job.vcpuMilli;
}

describe("jobs on a fleet that does not grow", () => {
  it("jobs never take more of a node or a GPU than there is", () => {
    fc.assert(
      fc.property(nodes, jobs, (on, all) => {
        const { went } = placed(on, all);
        for (const node of on) {
          const here = went.filter((each) => each.node === node.name);
          expect(here.reduce((sum, each) => sum + each.need.vcpuMilli, 0)).toBeLessThanOrEqual(node.vcpuMilli);
          expect(here.reduce((sum, each) => sum + each.need.memoryMiB, 0)).toBeLessThanOrEqual(node.memoryMiB);
          node.gpus.forEach((free, index) => {
            const taken = here.filter((each) => each.gpus.includes(index)).reduce((sum, each) => sum + each.need.gpuMilli, 0);
            expect(taken).toBeLessThanOrEqual(free);
          });
          for (const each of here) expect(accepts(node, each.need)).toBe(true);
        }
      }),
    );
  });

  it("jobs get as many different GPUs as they request, and whole ones if they request whole ones", () => {
    fc.assert(
      fc.property(nodes, jobs, (on, all) => {
        for (const each of placed(on, all).went) {
          if (each.node === undefined) continue;
          expect(new Set(each.gpus).size).toBe(each.need.gpus);
          const node = on.find(({ name }) => name === each.node);
          if (!isShared(each.need)) for (const index of each.gpus) expect(node?.gpus[index]).toBe(wholeGpu);
        }
      }),
    );
  });

  it("a job is rejected only if no node holds it", () => {
    fc.assert(
      fc.property(nodes, jobs, (on, all) => {
        for (const each of placed(on, all).went) expect(each.node !== undefined).toBe(each.could);
      }),
    );
  });

  it("jobs go to the same nodes in whatever order the nodes are listed", () => {
    fc.assert(
      fc.property(nodes, jobs, fc.infiniteStream(fc.nat()), (on, all, draws) => {
        const order = on.map((node) => ({ node, at: draws.next().value ?? 0 })).sort((a, b) => a.at - b.at);
        const shuffled = order.map(({ node }) => node);
        expect(placed(shuffled, all).went).toEqual(placed(on, all).went);
      }),
    );
  });

  it("the shape of a node's room is what is left of its GPUs", () => {
    fc.assert(
      fc.property(nodes, jobs, (on, all) => {
        for (const { gpus, shape } of placed(on, all).rooms) expect(shape.gpus).toEqual(gpus.toSorted((a, b) => a - b));
      }),
    );
  });
});
