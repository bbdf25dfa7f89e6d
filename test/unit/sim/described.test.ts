import { expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { Described } from "../../../lib/sim/faults/described.ts";
import { type FaultKind, Faults, faultKinds, type Rates } from "../../../lib/sim/faults/faults.ts";
import { SimClock } from "../../../lib/sim/world/clock.ts";

/** Returns EC2's reads of one instance, which began an hour ago and shuts down now, for as many seconds. */
function reads(given: Partial<Rates>, seconds: number) {
  const clock = new SimClock(0);
  const rates = Object.fromEntries(faultKinds.map((kind) => [kind, given[kind] ?? 0])) as Record<FaultKind, number>;
  const faults = new Faults({ rates, chance: new Chance("5") }, () => undefined);
  const described = new Described({ clock, faults });
  const passTo = (ms: number): void => {
    clock.at(ms, () => undefined);
    while (clock.nextMs !== undefined) clock.step();
  };
  described.begun("i-1");
  passTo(3_600_000);
  described.changed("i-1", "ending");
  const shown: (string | undefined)[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    passTo(3_600_000 + second * 1_000);
    shown.push(described.read(["i-1"]).get("i-1"));
  }
  return { shown, described, faults };
}

test("without faults, a read shows what an instance is, and nothing of one that does not exist", () => {
  const { shown, described } = reads({}, 100);
  expect(new Set(shown)).toEqual(new Set(["ending"]));
  expect(described.read(["i-2"]).get("i-2")).toBe("absent");
});

test("a stale read shows what an instance was up to a minute ago", () => {
  const { shown } = reads({ "ec2.stale-look": 1 }, 200);
  expect(shown[0]).toBe("live");
  expect(new Set(shown.slice(1, 60))).toEqual(new Set(["live", "ending"]));
  expect(new Set(shown.slice(60))).toEqual(new Set(["ending"]));
});

test("reads leave an instance out for less than a minute, and then show it for a quarter of an hour", () => {
  const { shown } = reads({ "ec2.absent-look": 1 }, 1_500);
  const absent = shown.flatMap((each, second) => (each === "absent" ? [second] : []));
  const [first = Number.NaN, ...others] = absent;
  expect(first).toBe(0);
  const again = others.find((second) => second > 60) ?? Number.NaN;
  expect(again).toBeGreaterThan(900);
  expect(absent.filter((second) => second < again).at(-1)).toBeLessThanOrEqual(50);
});

test("when the faults stop, reads show everything as it is", () => {
  const { described, faults } = reads({ "ec2.absent-look": 1 }, 1);
  expect(described.read(["i-1"]).get("i-1")).toBe("absent");
  faults.calmDown();
  expect(described.read(["i-1"]).get("i-1")).toBe("ending");
});
