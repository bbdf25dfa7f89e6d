import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FleetFile, readFleetFile } from "../../../lib/runtime/fleet-file.ts";
import { aPool } from "../../fakes/builders.ts";

const folder = mkdtempSync(join(tmpdir(), "fleet-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const fleet = { name: "fleetwright", teams: ["vision"], pools: [aPool()], defaultPool: "gpu", dataBuckets: ["scans"] };

test("what CDK wrote beside the bundle is what a function knows", () => {
  writeFileSync(join(folder, "fleet.json"), JSON.stringify(fleet));
  expect(readFleetFile(folder)).toEqual(fleet);
});

test("a function without it does not start", () => {
  expect(() => readFleetFile(join(folder, "elsewhere"))).toThrow("fleet.json");
});

describe("refused", () => {
  test.each<[string, object]>([
    ["no teams", { teams: [] }],
    ["no pools", { pools: [] }],
    ["an unknown field", { colour: "blue" }],
    ["a pool with an unknown field", { pools: [{ ...aPool(), colour: "blue" }] }],
    ["a pool that buys nothing", { pools: [aPool({ markets: [] })] }],
    ["a limit below nothing", { pools: [aPool({ limits: { usdPerHour: -1, gpus: 1 } })] }],
    ["half a GPU", { pools: [aPool({ limits: { usdPerHour: 1, gpus: 0.5 } })] }],
    ["a budget below nothing", { pools: [aPool({ budgets: { usdPerMonth: -1 } })] }],
    ["a team that is no name", { teams: ["Vision Team"] }],
  ])("%s", (_what, over) => {
    expect(FleetFile.safeParse({ ...fleet, ...over }).success).toBe(false);
  });
});
