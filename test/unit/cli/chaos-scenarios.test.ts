import { expect, test } from "vitest";
import { chaosCommand } from "../../../lib/cli/commands/chaos.ts";
import { aTerminal } from "./streams.ts";

test("chaos runs a scenario that ships with the project by its name", async () => {
  const { console, written } = aTerminal({ isTTY: false });
  expect(await chaosCommand({ scenario: "tight-limits", runs: 1, json: true }, console)).toBe(0);
  expect(JSON.parse(written().stdout)).toMatchObject({ scenario: "tight-limits", violations: 0, runs: 1 });
});

test.each(["budgets", "outage", "outage-ec2", "outage-table", "partition", "two-releases", "zone"])(
  "chaos knows the scenario %s by its name",
  async (scenario) => {
    const { console, written } = aTerminal({ isTTY: false });
    expect(await chaosCommand({ scenario, runs: 1, json: true }, console)).toBe(0);
    expect(JSON.parse(written().stdout)).toMatchObject({ scenario, violations: 0 });
  },
);

test("chaos names the scenarios that there are if it knows no such name", async () => {
  const { console } = aTerminal({ isTTY: false });
  await expect(chaosCommand({ scenario: "throtled", runs: 1 }, console)).rejects.toThrow(
    "there is no scenario throtled; there are blurred, budgets, consolidation, flood, flood-large, hands, minimum, outage, outage-ec2, outage-large, outage-table, partition, partition-ec2-out, partition-ec2-refuses, poison, spot-storm, standard, stopped-by-hand, throttled, tight-limits, two-releases, unsealable, weeks, wide, zone, or name a JSON file",
  );
});

test("chaos --list names the scenarios", async () => {
  const { console, written } = aTerminal({ isTTY: false });
  expect(await chaosCommand({ list: true }, console)).toBe(0);
  expect(written().stdout).toContain(
    "Scenarios: blurred, budgets, consolidation, flood, flood-large, hands, minimum, outage, outage-ec2, outage-large, outage-table, partition, partition-ec2-out, partition-ec2-refuses, poison, spot-storm, standard, stopped-by-hand, throttled, tight-limits, two-releases, unsealable, weeks, wide, zone\n",
  );
});
