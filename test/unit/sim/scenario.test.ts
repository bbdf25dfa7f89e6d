import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { faultKinds, usualRates } from "../../../lib/sim/faults/faults.ts";
import { ratesOf, Scenario } from "../../../lib/sim/world/scenario.ts";

const samples = join(import.meta.dirname, "..", "..", "..", "lib", "sim", "scenarios");

describe("a scenario", () => {
  test("an empty scenario is the standard one", () => {
    const { name, minutes, pools } = Scenario.parse({});
    expect({ name, minutes, pools: pools.map((pool) => pool.name) }).toEqual({ name: "standard", minutes: 8, pools: ["gpu", "mixed"] });
    expect(ratesOf(Scenario.parse({}))).toEqual(usualRates);
  });

  test.each(readdirSync(samples))("the sample scenario %s is valid and has the name of its file", (file) => {
    const scenario = Scenario.parse(JSON.parse(readFileSync(join(samples, file), "utf8")));
    expect(`${scenario.name}.json`).toBe(file);
  });

  test("a scenario keeps the usual rates that it does not override, and its intensity multiplies all rates", () => {
    const rates = ratesOf(Scenario.parse({ faults: { "ec2.dry": 0, "spot.storm": 0.2 }, intensity: 2 }));
    expect(rates["ec2.dry"]).toBe(0);
    expect(rates["spot.storm"]).toBe(0.4);
    expect(rates["lambda.kill"]).toBe(1);
    for (const kind of faultKinds) expect(rates[kind]).toBeLessThanOrEqual(1);
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
