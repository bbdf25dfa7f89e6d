import { describe, expect, test } from "vitest";
import type { ConfigurationFile } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { Synthesized } from "./synthesized.ts";
import { measure } from "./template-limits.ts";

/** Twenty teams and ten pools, with the longest names that a configuration may have. */
const teams = Array.from({ length: 20 }, (_, n) => `team-${n}`.padEnd(22, "x"));
const markets: ("spot" | "on-demand")[] = ["spot", "on-demand"];
const limits = { usdPerHour: 40, gpus: 16 };
const pools = Array.from({ length: 10 }, (_, n) => ({ families: ["g5"], markets, limits, name: `pool-${n}`.padEnd(20, "x") }));
const large: ConfigurationFile = { ...fleetConfig, name: "n".repeat(20), teams, pools, defaultPool: "pool-0".padEnd(20, "x") };

describe.each([
  ["the default configuration", fleetConfig],
  ["twenty teams and ten pools with long names", large],
])("the template of %s", (of, configuration) => {
  for (const { what, most, limit, where } of measure(new Synthesized(configuration)))
    test(`${of} has at most ${limit} ${what}`, () => {
      expect(most, where).toBeGreaterThan(0);
      expect(most, where).toBeLessThanOrEqual(limit);
    });
});

test("a measured text is as long as the deployed one can be, not as the template's", () => {
  const parameter = measure(new Synthesized()).find(({ what }) => what === "bytes of a parameter's value");
  // It lists a table and five buckets, whose names the template only refers to.
  expect(parameter?.most).toBeGreaterThan(6 * 63);
});
