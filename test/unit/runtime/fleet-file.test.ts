import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { documentedLimits } from "../../../lib/model/requests/request-limits.ts";
import { FleetFile, readFleetFile } from "../../../lib/runtime/fleet-file.ts";
import { liveLimitsOf } from "../../../lib/runtime/live-logs.ts";
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
  liveLogs: { burstKiB: 4096, kibPerSecond: 256, mibPerAttempt: 512 },
  datasets: { perTeam: 200, listingSeconds: 15, listingsPerSource: 2, listingsPerTeam: 15 },
  objectives: { launchSeconds: 60 },
};

test("a function reads the fleet file that CDK wrote", () => {
  writeFileSync(join(folder, "fleet.json"), JSON.stringify(fleet));
  expect(readFleetFile(folder)).toEqual(fleet);
});

test("a fleet file that an earlier release wrote without objectives has none", () => {
  const { objectives: _none, ...older } = fleet;
  expect(FleetFile.parse(older).objectives).toEqual({});
});

test("a fleet file without limits of the live logs gets the defaults, and setting one does not change the others", () => {
  const { liveLogs, datasets, ...older } = fleet;
  expect(FleetFile.parse(older).datasets).toEqual(datasets);
  expect(FleetFile.parse(older).liveLogs).toEqual(liveLogs);
  expect(liveLimitsOf(FleetFile.parse({ ...older, liveLogs: { kibPerSecond: 1 } }).liveLogs)).toEqual({
    burstBytes: 4 * 1024 * 1024,
    bytesPerSecond: 1024,
    totalBytes: 512 * 1024 * 1024,
  });
  expect(FleetFile.safeParse({ ...older, liveLogs: { kibPerSecond: 0 } }).success).toBe(false);
});

test("a fleet file without request limits gets EC2's documented ones, and setting one limit does not change the others", () => {
  const { ec2Requests: _none, ...older } = fleet;
  expect(FleetFile.parse(older).ec2Requests).toEqual(documentedLimits);
  const launch = { burst: 5, perSecond: 2 };
  expect(FleetFile.parse({ ...older, ec2Requests: { launch } }).ec2Requests).toEqual({ ...documentedLimits, launch });
});

test("a fleet file that an earlier release wrote with mostLosses is read as maxLosses", () => {
  const { maxLosses, ...others } = aPool();
  expect(FleetFile.parse({ ...fleet, pools: [{ ...others, mostLosses: maxLosses }] })).toEqual(fleet);
});

test("reading a missing fleet file throws", () => {
  expect(() => readFleetFile(join(folder, "elsewhere"))).toThrow("fleet.json");
});

describe("a wrong fleet file", () => {
  test.each<[string, object]>([
    ["no teams", { teams: [] }],
    ["no pools", { pools: [] }],
    ["an unknown field", { colour: "blue" }],
    ["a pool with an unknown field", { pools: [{ ...aPool(), colour: "blue" }] }],
    ["a pool that buys nothing", { pools: [aPool({ markets: [] })] }],
    ["a negative limit", { pools: [aPool({ limits: { usdPerHour: -1, gpus: 1 } })] }],
    ["half a GPU", { pools: [aPool({ limits: { usdPerHour: 1, gpus: 0.5 } })] }],
    ["a negative budget", { pools: [aPool({ budgets: { usdPerMonth: -1 } })] }],
    ["a burst of zero requests", { ec2Requests: { launch: { burst: 0 } } }],
    ["a rate of zero requests", { ec2Requests: { launch: { perSecond: 0 } } }],
    ["an unknown kind of request", { ec2Requests: { start: { burst: 1, perSecond: 1 } } }],
    ["a malformed team name", { teams: ["Vision Team"] }],
  ])("the fleet file refuses %s", (_what, over) => {
    expect(FleetFile.safeParse({ ...fleet, ...over }).success).toBe(false);
  });
});
