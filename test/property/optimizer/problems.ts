import fc from "fast-check";
import { classesOf } from "../../../lib/optimizer/problem/classes.ts";
import type { FreeNode, NamedJob, Problem, Supply } from "../../../lib/optimizer/problem/problem.ts";

const models = ["t4", "a10g"] as const;

const gpuNeed = fc.record(
  {
    count: fc.constantFrom(0.2, 0.35, 0.5, 0.7, 1, 1, 2, 4),
    memoryGiB: fc.constantFrom(0, 16, 24),
    models: fc.constantFrom([], ["t4"], ["a10g"]),
  },
  { requiredKeys: ["count"] },
);

const job: fc.Arbitrary<Omit<NamedJob, "name">> = fc.record(
  {
    size: fc.tuple(fc.constantFrom(0, 0.5, 1, 1.1, 3.3, 8), fc.constantFrom(0.1, 1, 4, 7.7, 30)),
    gpu: gpuNeed,
    spot: fc.boolean(),
    nodes: fc.constantFrom(1, 1, 1, 1, 2, 3),
    priority: fc.constantFrom(0, 0, 0, 1, -1),
    deadlineHours: fc.constantFrom(0, 0.5, 6, 6.5, 1000),
    data: fc.constantFrom({ images: 10 }, { text: 2 }),
  },
  { requiredKeys: ["size"] },
);

export const jobs = (most = 25): fc.Arbitrary<readonly NamedJob[]> =>
  fc
    .array(job, { maxLength: most, size: "max" })
    .map((all) => all.map((each, index) => ({ ...each, name: `j${String(index).padStart(3, "0")}` })));

const gpuKind = fc.record({ model: fc.constantFrom(...models), memoryGiB: fc.constantFrom(16, 24), count: fc.constantFrom(1, 1, 2, 4) });

const supply: fc.Arbitrary<Omit<Supply, "name">> = fc.record(
  {
    type: fc.constantFrom("small", "large"),
    zone: fc.constantFrom("a", "b"),
    market: fc.constantFrom("spot" as const, "on-demand" as const),
    usdPerHour: fc.integer({ min: 1, max: 900 }).map((cents) => cents / 100),
    capacity: fc.tuple(fc.constantFrom(0.8, 1.9, 3.8, 7.8, 31.8), fc.constantFrom(0.92, 3.7, 14.7, 58.9)),
    gpu: gpuKind,
    interruptionsPerHour: fc.constantFrom(0, 0.01, 0.1),
    most: fc.constantFrom(1, 2, 5),
  },
  { requiredKeys: ["type", "zone", "market", "usdPerHour", "capacity"] },
);

export const offers = (most = 8): fc.Arbitrary<readonly Supply[]> =>
  fc.array(supply, { maxLength: most, size: "max" }).map((all) =>
    all.map((each, index) => ({
      ...each,
      name: `o${String(index).padStart(2, "0")}`,
      uses: { usd: each.usdPerHour, gpus: each.gpu?.count ?? 0 },
    })),
  );

const node: fc.Arbitrary<Omit<FreeNode, "name">> = fc
  .record({
    room: fc.tuple(fc.constantFrom(0, 0.8, 3.8, 7.8), fc.constantFrom(0, 3.7, 14.7, 58.9)),
    gpu: fc.record({ model: fc.constantFrom(...models), memoryGiB: fc.constantFrom(16, 24) }),
    gpusFree: fc.array(fc.constantFrom(0, 0.3, 0.5, 1, 1), { maxLength: 4 }),
    type: fc.constantFrom("small", "large"),
    zone: fc.constantFrom("a", "b"),
    market: fc.constantFrom("spot" as const, "on-demand" as const),
    warm: fc.constantFrom([], ["images"]),
  })
  .map(({ gpu, gpusFree, ...rest }) => (gpusFree.length > 0 ? { ...rest, gpu, gpusFree } : rest));

const nodes: fc.Arbitrary<readonly FreeNode[]> = fc
  .array(node, { maxLength: 6 })
  .map((all) => all.map((each, index) => ({ ...each, name: `n${index}` })));

const limits = fc.constantFrom(
  undefined,
  undefined,
  [{ name: "usd", most: 20 }],
  [
    { name: "usd", most: 100 },
    { name: "gpus", most: 4 },
  ],
);

export const problem: fc.Arbitrary<Problem> = fc
  .record({ jobs: jobs(), offers: offers(), nodes, limits, usdPerGiB: fc.constantFrom(0, 0, 0.02) })
  .map(({ jobs: all, usdPerGiB, ...rest }) => ({
    ...rest,
    dimensions: ["vcpus", "memoryGiB"],
    jobs: classesOf(all),
    terms: { usdPerGiB },
  }));
