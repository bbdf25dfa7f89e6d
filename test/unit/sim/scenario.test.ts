import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Chance } from "../../../lib/sim/faults/chance.ts";
import { faultKinds, usualRates } from "../../../lib/sim/faults/faults.ts";
import { ratesOf, Scenario } from "../../../lib/sim/world/scenario.ts";

const samples = join(import.meta.dirname, "..", "..", "..", "lib", "sim", "scenarios");

describe("a scenario", () => {
  test("an empty scenario is the standard one", () => {
    const { name, minutes, pools } = Scenario.parse({});
    expect({ name, minutes, pools: pools.map((pool) => pool.name) }).toEqual({ name: "standard", minutes: 8, pools: ["gpu", "mixed"] });
  });

  test.each(readdirSync(samples))("the sample scenario %s is valid and has the name of its file", (file) => {
    const scenario = Scenario.parse(JSON.parse(readFileSync(join(samples, file), "utf8")));
    expect(`${scenario.name}.json`).toBe(file);
  });

  test("a run has the rates that its scenario names, its intensity multiplies all rates, and none is more than 1", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const rates = ratesOf(Scenario.parse({ faults: { "ec2.dry": 0, "spot.storm": 0.2 }, intensity: 2 }), new Chance(`${seed}`));
      expect(rates["ec2.dry"]).toBe(0);
      expect(rates["spot.storm"]).toBe(0.4);
      for (const kind of faultKinds) expect(rates[kind]).toBeLessThanOrEqual(1);
    }
  });

  test("usual rates vary from run to run, all of a seam alike, and in some runs nothing delays messages and handlers", () => {
    const runs = Array.from({ length: 400 }, (_, seed) => ratesOf(Scenario.parse({}), new Chance(`${seed}`)));
    const mean = runs.reduce((sum, rates) => sum + rates["s3.trouble"], 0) / runs.length;
    expect(Math.abs(mean / usualRates["s3.trouble"] - 1)).toBeLessThan(0.15);
    for (const rates of runs)
      expect(rates["s3.trouble"] / usualRates["s3.trouble"]).toBeCloseTo(rates["s3.lost-event"] / usualRates["s3.lost-event"]);
    const delaying = (["sqs.drop", "lambda.slow", "table.throttle"] as const).filter((kind) => usualRates[kind] > 0);
    const prompt = runs.filter((rates) => delaying.every((kind) => rates[kind] === 0));
    expect(prompt.length).toBeGreaterThan(30);
    expect(prompt.length).toBeLessThan(120);
  });

  test.each([
    { minuts: 3 },
    { faults: { "ec2.nap": 1 } },
    { faults: { "ec2.dry": 2 } },
    { jobs: { count: { from: 9, to: 2 } } },
    { pools: [{ name: "gpu" }] },
    { offers: [{ instanceType: "p9.huge", zone: "a", market: "spot", usdPerHour: 1 }] },
    { teams: [] },
  ])("the invalid scenario %j is refused", (value) => {
    expect(Scenario.safeParse(value).success).toBe(false);
  });
});
