import { describe, expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";

const some = (chance: Chance): number[] => Array.from({ length: 1000 }, () => chance.next());

describe("chance", () => {
  test("is the same for the same seed and another for another", () => {
    expect(some(new Chance("1"))).toEqual(some(new Chance("1")));
    expect(some(new Chance("1"))).not.toEqual(some(new Chance("2")));
  });

  test("stays what it is: a seed that is on record can be replayed by the next release", () => {
    const chance = new Chance("standard 1");
    expect([chance.between(0, 999), chance.between(0, 999), chance.between(0, 999)]).toEqual([796, 170, 489]);
  });

  test("of a fork moves nothing of where it came from", () => {
    const [one, other] = [new Chance("1"), new Chance("1")];
    some(one.fork("a"));
    expect(some(one)).toEqual(some(other));
    expect(some(one.fork("a"))).not.toEqual(some(one.fork("b")));
  });

  test("is spread evenly, and includes both ends", () => {
    const chance = new Chance("1");
    const counts = new Map<number, number>();
    for (let n = 0; n < 6000; n += 1) {
      const thrown = chance.between(1, 6);
      counts.set(thrown, (counts.get(thrown) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
