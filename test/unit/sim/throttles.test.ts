import { expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { type FaultKind, Faults, faultKinds } from "../../../lib/sim/faults/faults.ts";
import { Throttles } from "../../../lib/sim/faults/throttles.ts";
import { SimClock } from "../../../lib/sim/world/clock.ts";

test("Lambda refuses most invocations for some minutes, none before, none after, and none once the faults have stopped", () => {
  const clock = new SimClock(0);
  const rates = Object.fromEntries(faultKinds.map((kind) => [kind, kind === "lambda.throttled" ? 1 : 0])) as Record<FaultKind, number>;
  const faults = new Faults({ rates, chance: new Chance("7") }, () => undefined);
  const throttles = new Throttles({ clock, faults }, 600_000);
  const refused: number[] = [];
  for (let second = 0; second < 1_200; second += 1) {
    clock.at(second * 1_000, () => throttles.refuses("place") && refused.push(second));
  }
  while (clock.nextMs !== undefined) clock.step();
  const [first = 0, last = 0] = [refused[0], refused.at(-1)];
  expect(last - first).toBeLessThanOrEqual(300);
  expect(refused.length).toBeGreaterThan((last - first) * 0.4);
  expect(faults.counts.get("lambda.throttled")).toBe(refused.length);
  const calm = new Throttles({ clock, faults }, 1);
  clock.after(1_000, () => faults.calmDown());
  while (clock.nextMs !== undefined) clock.step();
  expect(Array.from({ length: 100 }, () => calm.refuses("place"))).not.toContain(true);
});
