import { describe, expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";

const some = (chance: Chance): number[] => Array.from({ length: 1000 }, () => chance.next());

describe("random numbers", () => {
  test("the same seed gives the same random numbers, and another seed gives others", () => {
    expect(some(new Chance("1"))).toEqual(some(new Chance("1")));
    expect(some(new Chance("1"))).not.toEqual(some(new Chance("2")));
  });

  test("the random numbers of a seed stay the same in every release, so that recorded seeds can be replayed", () => {
    const chance = new Chance("standard 1");
    expect([chance.between(0, 999), chance.between(0, 999), chance.between(0, 999)]).toEqual([796, 170, 489]);
  });

  test("drawing from a fork does not affect the stream that it was forked from", () => {
    const [one, other] = [new Chance("1"), new Chance("1")];
    some(one.fork("a"));
    expect(some(one)).toEqual(some(other));
    expect(some(one.fork("a"))).not.toEqual(some(one.fork("b")));
  });

  test("whole random numbers are spread evenly and include both ends", () => {
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
