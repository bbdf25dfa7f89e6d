import { expect, it } from "vitest";
import { poolLines } from "../../../lib/cli/commands/pools.ts";
import { refusalLines } from "../../../lib/cli/views/refusal-lines.ts";
import { monday } from "../../fakes/builders.ts";
import { aPoolView, at } from "./api-samples.ts";

type Refusals = Parameters<typeof refusalLines>[0];
const zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
const drought: Refusals = (["spot", "on-demand"] as const).flatMap((market) =>
  ["g4dn", "g5", "g6"].flatMap((family) =>
    ["xlarge", "2xlarge", "4xlarge"].flatMap((size) =>
      zones.map((zone) => ({
        instanceType: `${family}.${size}`,
        zone,
        market,
        code: market === "spot" ? "UnfulfillableCapacity" : "InsufficientInstanceCapacity",
        at: at(zone === "us-east-1a" ? 0 : 60),
        until: at(family === "g6" ? 240 : 120),
      })),
    ),
  ),
);

it("refusals of every type in every zone are one line per market", () => {
  expect(drought).toHaveLength(54);
  expect(refusalLines(drought, monday + 70_000)).toEqual([
    "9 types of g4dn, g5, g6 spot in us-east-1a, us-east-1b, us-east-1c (UnfulfillableCapacity), last 10 s ago; next try in 50 s to 2 min 50 s (2026-06-01 00:02:00 UTC)",
    "9 types of g4dn, g5, g6 on-demand in us-east-1a, us-east-1b, us-east-1c (InsufficientInstanceCapacity), last 10 s ago; next try in 50 s to 2 min 50 s (2026-06-01 00:02:00 UTC)",
  ]);
  const lines = poolLines(aPoolView({ refusals: drought }), monday + 70_000);
  expect(lines.filter((line) => line.startsWith("refused"))).toHaveLength(2);
  expect(lines.length).toBeLessThan(24);
});

it("a few refused types are named, with a count if not every type was refused in every zone", () => {
  const few = drought.filter(({ market, instanceType }) => market === "spot" && instanceType?.startsWith("g5."));
  expect(refusalLines(few.slice(1), monday)[0]).toMatch(
    /^g5\.2xlarge, g5\.4xlarge, g5\.xlarge spot in us-east-1a, us-east-1b, us-east-1c, 8 of 9 pairs \(UnfulfillableCapacity\)/,
  );
});

it.each([
  [4, "a.1, a.2, a.3, a.4"],
  [5, "5 types of a"],
])("of %i refused types, up to four are named", (count, named) => {
  const types = Array.from({ length: count }, (_, n) => `a.${n + 1}`);
  const refusals = types.map((instanceType) => ({ instanceType, zone: "us-east-1a", market: "spot" as const, code: "C", until: at(60) }));
  expect(refusalLines(refusals, monday)).toEqual([`${named} spot in us-east-1a (C); next try in 1 min (2026-06-01 00:01:00 UTC)`]);
});

it.each([
  [999, "in 1 min"],
  [1_000, "in 1 min to 1 min 1 s"],
])("the next tries after refusals that end %i ms apart are shown as %s", (apart, words) => {
  const untils = [at(60), new Date(Date.parse(at(60)) + apart).toISOString()];
  const refusals = untils.map((until, n) => ({ instanceType: `a.${n}`, zone: "z", market: "spot" as const, code: "C", until }));
  expect(refusalLines(refusals, monday)[0]).toContain(`; next try ${words} (2026-06-01 00:01:00 UTC)`);
});

it("a refusal because of a quota names the quota", () => {
  const quota = {
    quota: "All G and VT Spot Instance Requests",
    market: "spot",
    code: "MaxSpotInstanceCountExceeded",
    until: at(60),
  } as const;
  expect(refusalLines([quota], monday)).toEqual([
    "the account's quota: All G and VT Spot Instance Requests (MaxSpotInstanceCountExceeded); next try in 1 min (2026-06-01 00:01:00 UTC)",
  ]);
});
