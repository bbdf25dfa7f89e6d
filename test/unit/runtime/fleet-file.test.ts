import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { documentedLimits } from "../../../lib/model/requests/request-limits.ts";
import { FleetFile, readFleetFile } from "../../../lib/runtime/fleet-file.ts";
import { aPool } from "../../fakes/builders.ts";

const folder = mkdtempSync(join(tmpdir(), "fleet-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const fleet = {
  name: "fleetwright",
  teams: ["vision"],
  pools: [aPool()],
  defaultPool: "gpu",
  dataBuckets: ["scans"],
  ec2Requests: documentedLimits,
};

test("what CDK wrote beside the bundle is what a function knows", () => {
  writeFileSync(join(folder, "fleet.json"), JSON.stringify(fleet));
  expect(readFleetFile(folder)).toEqual(fleet);
});

test("what an earlier release wrote has EC2's documented limits, and a limit that is set leaves the others as they are", () => {
  const { ec2Requests: _none, ...older } = fleet;
  expect(FleetFile.parse(older).ec2Requests).toEqual(documentedLimits);
  const launch = { burst: 5, perSecond: 2 };
  expect(FleetFile.parse({ ...older, ec2Requests: { launch } }).ec2Requests).toEqual({ ...documentedLimits, launch });
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
    ["no requests to EC2, ever", { ec2Requests: { launch: { burst: 0 } } }],
    ["requests that never come back", { ec2Requests: { launch: { perSecond: 0 } } }],
    ["requests of another kind", { ec2Requests: { start: { burst: 1, perSecond: 1 } } }],
    ["a team that is no name", { teams: ["Vision Team"] }],
  ])("%s", (_what, over) => {
    expect(FleetFile.safeParse({ ...fleet, ...over }).success).toBe(false);
  });
});
