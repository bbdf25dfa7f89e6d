import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ScanLimits, scan } from "../../lib/model/queue/scan.ts";

const classLength = 8;
const hex = (n: number): string => n.toString(16).padStart(classLength, "0");

/** Returns a queue whose keys are `CLASS#NUMBER`, and counts its reads. A response may hold fewer entries than were asked for. */
function queueOf(keys: readonly string[], maxResponse = Number.POSITIVE_INFINITY, isResting: (key: string) => boolean = () => false) {
  const sorted = keys.toSorted();
  const reads: number[] = [];
  return {
    reads,
    keyOf: (key: string) => key,
    classOf: (key: string) => key.slice(0, classLength),
    isResting,
    async read(after: string | undefined, limit: number) {
      const rest = sorted.filter((key) => after === undefined || key > after);
      const entries = rest.slice(0, Math.min(limit, maxResponse));
      reads.push(entries.length);
      return { entries, isLast: entries.length === rest.length };
    },
  };
}

const keys = fc
  .array(fc.tuple(fc.constantFrom(1, 7, 900, 0x7fffffff, 0xfffffff0), fc.nat(30)), { maxLength: 60 })
  .map((all) => [...new Set(all.map(([name, n]) => `${hex(name)}#${String(n).padStart(3, "0")}`))]);
const startClass = fc.constantFrom(hex(0), hex(7), hex(8), hex(0x7fffffff), "ffffffff");

/** Returns the first entries of each class. */
const firstOfEach = (all: readonly string[], ofClass: number): string[] =>
  [...Map.groupBy(all.toSorted(), (key) => key.slice(0, classLength)).values()].flatMap((those) => those.slice(0, ofClass));

describe("scanning a long queue", () => {
  test("with enough reads, the first jobs of every class are found, and all jobs if no class has more", async () => {
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 20 }),
        startClass,
        async (all, ofClass, response, start) => {
          const queue = queueOf(all, response);
          const found = await scan(queue, { ofClass, reads: 500, startClass: start });
          expect(new Set(found.entries).size).toBe(found.entries.length);
          expect(found.entries).toEqual(expect.arrayContaining(firstOfEach(all, ofClass)));
          if (found.isWhole) expect(found.entries.toSorted()).toEqual(all.toSorted());
          if (found.entries.length === all.length && firstOfEach(all, ofClass).length === all.length && ofClass > 31)
            expect(found.isWhole).toBe(true);
        },
      ),
    );
  });

  test("a scan never reads more often than it may, and says if it did not see all", async () => {
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        startClass,
        async (all, reads, ofClass, start) => {
          const queue = queueOf(all);
          const found = await scan(queue, { ofClass, reads, startClass: start });
          expect(queue.reads.length).toBeLessThanOrEqual(reads);
          expect(found.entries.length).toBeLessThanOrEqual(reads * ofClass);
          if (found.entries.length < all.length) expect(found.isWhole).toBe(false);
        },
      ),
    );
  });

  test("a class that few reads do not reach is read by a scan that begins with it", async () => {
    const all = Array.from({ length: 200 }, (_, n) => `${hex(n * 1000)}#000`);
    const limits = (start: number): ScanLimits => ({ ofClass: 5, reads: 3, startClass: hex(start) });
    const last = `${hex(199_000)}#000`;
    expect((await scan(queueOf(all), limits(0))).entries).not.toContain(last);
    expect((await scan(queueOf(all), limits(198_500))).entries).toContain(last);
  });

  test("100,000 jobs of one class take two reads, and hide no other class", async () => {
    const loud = Array.from({ length: 100_000 }, (_, n) => `${hex(5)}#${String(n).padStart(6, "0")}`);
    const queue = queueOf([...loud, `${hex(9)}#000000`]);
    const found = await scan(queue, { ofClass: 1_000, reads: 24, startClass: hex(0) });
    expect(queue.reads).toEqual([1_000, 1]);
    expect(found.entries).toContain(`${hex(9)}#000000`);
    expect(found.isWhole).toBe(false);
  });

  test("jobs that rest do not hide those of their class that can be placed", async () => {
    const all = Array.from({ length: 3_000 }, (_, n) => `${hex(5)}#${String(n).padStart(6, "0")}`);
    const [fresh] = all.slice(2_500);
    const queue = queueOf(all, undefined, (key) => fresh !== undefined && key < fresh);
    const found = await scan(queue, { ofClass: 1_000, reads: 24, startClass: hex(0) });
    expect(queue.reads).toEqual([1_000, 1_000, 1_000]);
    expect(found.entries).toContain(fresh);
  });
});
