import fc from "fast-check";
import { expect, test } from "vitest";
import { SimClock } from "../../../lib/sim/world/clock.ts";

const runOut = (clock: SimClock): void => {
  while (clock.nextMs !== undefined) clock.step();
};

test("events happen in order of time, and simultaneous events in the order in which they were scheduled", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ ms: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 60 }), (timers) => {
      const clock = new SimClock(1000);
      const happened: { n: number; atMs: number }[] = [];
      const cancels = timers.map(({ ms }, n) => clock.after(ms, () => happened.push({ n, atMs: clock.nowMs })));
      for (const [n, { cancelled }] of timers.entries()) if (cancelled) cancels[n]?.();
      runOut(clock);
      const wanted = timers
        .map(({ ms, cancelled }, n) => ({ n, atMs: 1000 + ms, cancelled }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.atMs - b.atMs || a.n - b.n)
        .map(({ n, atMs }) => ({ n, atMs }));
      expect(happened).toEqual(wanted);
    }),
  );
});

test("an event that is scheduled for the past happens now, and time never goes back", () => {
  const clock = new SimClock(1000);
  const seen: number[] = [];
  clock.after(10, () => clock.at(5, () => seen.push(clock.nowMs)));
  runOut(clock);
  expect(seen).toEqual([1010]);
});
