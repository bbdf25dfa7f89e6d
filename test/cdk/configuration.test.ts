import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { describe, expect, test } from "vitest";
import { type ConfigurationFile, fleetFile, loadConfiguration, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import { zoneProblem } from "../../cdk/configuration/zones.ts";
import { fallbacksOf } from "../../lib/model/pool.ts";
import { regionProblem } from "../../lib/model/values/region.ts";
import { FleetFile } from "../../lib/runtime/fleet-file.ts";

type PoolFile = ConfigurationFile["pools"][number];
const aPool = (changes: Partial<PoolFile> = {}): PoolFile => ({
  name: "gpu",
  families: ["g5"],
  markets: ["spot"],
  limits: { usdPerHour: 10, gpus: 4 },
  ...changes,
});
const aFleet = (changes: Record<string, unknown> = {}): unknown => ({
  teams: ["research"],
  pools: [aPool()],
  defaultPool: "gpu",
  ...changes,
});

/** Returns a fleet with the pools `gpu` and `b`, and one more pool for each further argument. */
const pools = (...changes: Partial<PoolFile>[]): unknown =>
  aFleet({ pools: [aPool(changes[0]), aPool({ name: "b", ...changes[1] }), ...changes.slice(2).map((more) => aPool(more))] });

test.each(["cn-north-1", "us-gov-west-1", "us-iso-east-1"])("a deployment to %s is refused, because it has no function URLs", (region) => {
  expect(regionProblem(region)).toContain(`cannot be deployed to ${region}: `);
});

test.each(["us-east-1", "eu-central-1", "ca-central-1", undefined])("a deployment to %s is not refused", (region) => {
  expect(regionProblem(region)).toBeUndefined();
});

test("a deployment is refused if its region does not have the configured zones", () => {
  expect(zoneProblem("eu-west-1", ["us-east-1a"])).toContain("names the zone us-east-1a, but the deployment is to eu-west-1");
  expect(zoneProblem("us-east-1", ["us-east-1a", "us-east-1f"])).toBeUndefined();
  expect(zoneProblem("us-west-1", 3)).toContain("most accounts see two zones in us-west-1");
  expect([zoneProblem("us-west-1", 2), zoneProblem("us-west-1", ["us-west-1a", "us-west-1c"])]).toEqual([undefined, undefined]);
});

test.each<[unknown, string]>([
  [[], "zones"],
  [["us-east-1a", "us-east-1a"], "names a zone twice"],
  [["us-east-1a", "eu-west-1a"], "names zones of several regions"],
  [["use1-az1"], "must be the name of a zone, such as us-east-1a"],
  [7, "zones"],
])("the zones %j are refused, and the message says why", (zones, message) => {
  expect(() => parseConfiguration(aFleet({ zones }), "the test")).toThrow(message);
});

describe("the configuration", () => {
  test("logs may be kept for every time that CloudWatch knows, up to ten years", () => {
    const days = Object.values(RetentionDays).filter((each): each is RetentionDays => typeof each === "number" && each <= 3653);
    expect(days.length).toBeGreaterThan(15);
    for (const logRetentionDays of days)
      expect(parseConfiguration(aFleet({ logRetentionDays }), "here").logRetentionDays).toBe(logRetentionDays);
  });

  test("the configuration fills in defaults for omitted fields", () => {
    const fleet = parseConfiguration(aFleet(), "here");
    expect(fleet).toMatchObject({ name: "fleetwright", zones: 3, logRetentionDays: 30, deletionProtection: true });
    expect(fleet.pools[0]).toMatchObject({
      idleSeconds: 300,
      bootSeconds: 600,
      drainSeconds: 600,
      disruption: { share: 0.1 },
      maxLosses: 3,
      shared: false,
      teams: [],
      volumeGiB: 100,
      architecture: "x86_64",
    });
  });

  test("the handlers' part of the configuration matches the schema that they read", () => {
    expect(() => FleetFile.parse(fleetFile(parseConfiguration(aFleet(), "here")))).not.toThrow();
  });

  test("the handlers' part of the configuration has the limits of datasets and of run times", () => {
    const datasets = { perTeam: 7, listingSeconds: 30, listingsPerSource: 2, listingsPerTeam: 9 };
    const fleet = fleetFile(
      parseConfiguration(aFleet({ datasets, pools: [aPool({ maxRuntimeSeconds: 3_600 }), aPool({ name: "b" })] }), "here"),
    );
    expect(FleetFile.parse(fleet)).toMatchObject({ datasets, pools: [{ maxRuntimeSeconds: 3_600 }, { maxRuntimeSeconds: 14 * 86_400 }] });
    for (const wrong of [{ perTeam: 0 }, { listingSeconds: 601 }, { listingsPerSource: 0.5 }, { listingsPerTeam: 10_001 }, { more: 1 }])
      expect(() => parseConfiguration(aFleet({ datasets: wrong }), "here")).toThrow(/datasets/);
  });

  test("the handlers' part of the configuration has the budgets of pools that have any", () => {
    const budgets = { usdPerDay: 200, usdPerMonth: 3000 };
    const fleet = fleetFile(parseConfiguration(aFleet({ pools: [aPool({ budgets }), aPool({ name: "free" })] }), "here"));
    expect(FleetFile.parse(fleet).pools.map((pool) => pool.budgets)).toEqual([budgets, undefined]);
    expect(parseConfiguration(aFleet({ pools: [aPool({ budgets: { usdPerMonth: 0 } })] }), "here").pools[0]?.budgets).toEqual({
      usdPerMonth: 0,
    });
  });

  test("the handlers' part of the configuration says where a pool's jobs may move, and after how long", () => {
    const chain = pools({ fallback: "b", teams: ["research"] }, { fallback: "c", fallbackSeconds: 60 }, { name: "c" });
    const poolsInFile = FleetFile.parse(fleetFile(parseConfiguration(chain, "here"))).pools;
    expect(poolsInFile.map(({ fallback, fallbackSeconds }) => [fallback, fallbackSeconds])).toEqual([
      ["b", 300],
      ["c", 60],
      [undefined, 300],
    ]);
    expect(poolsInFile.map((pool) => fallbacksOf(pool, poolsInFile).map(({ name }) => name))).toEqual([["b", "c"], ["c"], []]);
  });

  test.each(["cdk/fleet.config.ts", "cdk/local.config.ts"])("%s is a valid configuration", async (file) => {
    await expect(loadConfiguration(file)).resolves.toMatchObject({ teams: ["research", "vision"], defaultPool: "gpu" });
  });

  test("the configuration may be a JSON file", async () => {
    await expect(loadConfiguration(written("fleet.json", JSON.stringify(aFleet())))).resolves.toMatchObject({ teams: ["research"] });
  });

  test("a JSON configuration may be UTF-16, as PowerShell writes it", async () => {
    const file = written("wide.json", Buffer.from(`\uFEFF${JSON.stringify(aFleet())}`, "utf16le"));
    await expect(loadConfiguration(file)).resolves.toMatchObject({ teams: ["research"] });
  });

  test.each<[string, unknown, RegExp]>([
    [
      "an unknown team",
      aFleet({ pools: [aPool({ teams: ["research", "sales"] })] }),
      /pool "gpu" names the team "sales", which is not in teams \(research\)/,
    ],
    ["two pools with the same name", aFleet({ pools: [aPool(), aPool()] }), /pools: .*"gpu" is listed twice/],
    ["two teams with the same name", aFleet({ teams: ["research", "research"] }), /teams: .*"research" is listed twice/],
    [
      "a team whose role's name would be too long for IAM",
      aFleet({ name: "a-name-of-twenty-000", teams: ["research", "a-team-of-24-characters0"] }),
      /teams\.1: with the deployment's name "a-name-of-twenty-000", "a-team-of-24-characters0" is too long: 43 characters together at most/,
    ],
    ["a key of volumes that is no ARN of a key", aFleet({ volumeKeyArn: "alias/volumes" }), /volumeKeyArn: must be the ARN of a KMS key/],
    ["an unknown default pool", aFleet({ defaultPool: "cpu" }), /there is no pool "cpu"; known pools: gpu/],
    [
      "a team that no pool accepts",
      aFleet({ teams: ["research", "vision"], pools: [aPool({ teams: ["vision"] })] }),
      /no pool accepts jobs of the team "research"/,
    ],
    ["no market", aFleet({ pools: [aPool({ markets: [] })] }), /pools\.0\.markets: .*name at least one of "spot" and "on-demand"/],
    ["no family", aFleet({ pools: [aPool({ families: [] })] }), /at least one instance family/],
    ["a malformed instance family", aFleet({ pools: [aPool({ families: ["G5; rm"] })] }), /must look like "g5", or "g5\.xlarge"/],
    [
      "a negative limit",
      aFleet({ pools: [aPool({ limits: { usdPerHour: -1, gpus: 4 } })] }),
      /pools\.0\.limits\.usdPerHour: .*must not be negative/,
    ],
    ["half a GPU", aFleet({ pools: [aPool({ limits: { usdPerHour: 1, gpus: 0.5 } })] }), /pools\.0\.limits\.gpus: expected a whole number/],
    [
      "a negative budget",
      aFleet({ pools: [aPool({ budgets: { usdPerDay: -1 } })] }),
      /pools\.0\.budgets\.usdPerDay: .*must not be negative/,
    ],
    [
      "a lifetime too short to boot and be drained in",
      aFleet({ pools: [aPool({ maxLifetimeSeconds: 1200 })] }),
      /pools\.0\.maxLifetimeSeconds: .*must be longer than bootSeconds and drainSeconds together \(1200\)/,
    ],
    [
      "a minimum in a pool that is not shared",
      aFleet({ pools: [aPool({ minNodes: 1 })] }),
      /pools\.0\.minNodes: a node of pool "gpu" serves one team only, .*; only a shared pool can keep nodes/,
    ],
    ["a lifetime of zero", aFleet({ pools: [aPool({ maxLifetimeSeconds: 0 })] }), /must be ten minutes or more/],
    ["a lifetime of a century", aFleet({ pools: [aPool({ maxLifetimeSeconds: 3_155_760_000 })] }), /must not be longer than a year/],
    ["a negative drain time", aFleet({ pools: [aPool({ drainSeconds: -1 })] }), /pools\.0\.drainSeconds: .*must not be negative/],
    ["consolidation after a second", aFleet({ pools: [aPool({ consolidateSeconds: 1 })] }), /must be a minute or more/],
    [
      "a disruption of half a node",
      aFleet({ pools: [aPool({ disruption: { nodes: 0.5 } })] }),
      /must be \{ nodes: 2 \} or \{ share: 0\.1 \}/,
    ],
    ["a disruption of more than all nodes", aFleet({ pools: [aPool({ disruption: { share: 1.1 } })] }), /must not be more than 1/],
    ["a budget for an unknown period", aFleet({ pools: [{ ...aPool(), budgets: { usdPerWeek: 1 } }] }), /there is no field "usdPerWeek"/],
    ["an unknown fallback pool", pools({ fallback: "cpu" }), /pools\.0\.fallback: .*there is no pool "cpu"; known pools: gpu, b/],
    ["a pool that is its own fallback", pools({ fallback: "gpu" }), /pool "gpu" cannot be its own fallback/],
    [
      "fallbacks that form a cycle",
      pools({ fallback: "b" }, { fallback: "c" }, { name: "c", fallback: "b" }),
      /pools\.1\.fallback: .*jobs of pool "b" would return to it.*/,
    ],
    [
      "a fallback that not every team of the pool may use",
      aFleet({ teams: ["research", "vision"], pools: [aPool({ fallback: "b" }), aPool({ name: "b", teams: ["research"] })] }),
      /pool "b" does not accept jobs of vision, which may use pool "gpu"/,
    ],
    [
      "a shared fallback of a pool that keeps teams on separate nodes",
      aFleet({ teams: ["research", "vision"], pools: [aPool({ fallback: "b" }), aPool({ name: "b", shared: true })] }),
      /pool "gpu" keeps teams on separate nodes, but pool "b" is shared/,
    ],
    [
      "a fallback without containers of a pool that runs them",
      pools({ fallback: "b" }, { containers: false }),
      /pool "gpu" runs containers, but pool "b" does not/,
    ],
    [
      "a negative time before a fallback",
      pools({ fallback: "b", fallbackSeconds: -1 }),
      /pools\.0\.fallbackSeconds: .*must not be negative/,
    ],
    ["no team", aFleet({ teams: [] }), /name at least one team/],
    ["a name that AWS would refuse", aFleet({ name: "My Fleet" }), /1 to 20 of a-z/],
    ["a misspelt field", aFleet({ zone: 2 }), /there is no field "zone"/],
    ["a volume too small for the image", aFleet({ pools: [aPool({ volumeGiB: 20 })] }), /75 GiB/],
    ["a retention that CloudWatch does not support", aFleet({ logRetentionDays: 31 }), /logRetentionDays/],
  ])("the configuration refuses %s", (_what, value, message) => {
    expect(() => parseConfiguration(value, "here")).toThrow(message);
  });

  test("the error of a wrong configuration names the file and every mistake", () => {
    const mistakes = aFleet({ defaultPool: "cpu", pools: [aPool({ teams: ["sales"] }), aPool()] });
    expect(() => parseConfiguration(mistakes, "fleet.config.ts")).toThrow(/in fleet\.config\.ts.*twice.*"sales".*no pool "cpu"/s);
  });

  test.each<[string, string, RegExp]>([
    ["a missing file", join(tmpdir(), "fleetwright-none.ts"), /cannot be read/],
    ["malformed JSON", written("broken.json", "{"), /cannot be read/],
    ["a module without a default export", written("empty.mjs", "export const fleet = 1;"), /has no default export/],
  ])("loading %s as configuration fails with a message that says why", async (_what, file, message) => {
    await expect(loadConfiguration(file)).rejects.toThrow(message);
  });
});

function written(name: string, text: string | Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), "fleetwright-config-")), name);
  writeFileSync(file, text);
  return file;
}
