import { expect, test } from "vitest";
import { between, fraction, generator } from "../../../lib/local/ec2/behaviour/seeded.ts";

test("a seed gives the same numbers in every release, so that a behaviour that somebody recorded can be repeated", () => {
  expect([fraction(1, "a"), fraction(2, "a"), fraction(1, "g5.xlarge/us-east-1a")]).toEqual([
    0.9017827003262937, 0.2760829667095095, 0.1530851344577968,
  ]);
  const [one, other] = [generator(7), generator(7)];
  expect(Array.from({ length: 5 }, one)).toEqual(Array.from({ length: 5 }, other));
});

test("the numbers of a seed are spread evenly", () => {
  const draw = generator(3);
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 10_000; n += 1) {
    const tenth = Math.floor(draw() * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) expect(count).toBeGreaterThan(850);
  expect(between({ min: 10, max: 20 }, () => 0.5)).toBe(15);
});
