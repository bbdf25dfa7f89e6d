import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ConfigurationFile, fleetFile, loadConfiguration, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import { fallbacksOf } from "../../lib/model/pool.ts";
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

/** Pools `gpu` and `b`, and more. */
const pools = (...changes: Partial<PoolFile>[]): unknown =>
  aFleet({ pools: [aPool(changes[0]), aPool({ name: "b", ...changes[1] }), ...changes.slice(2).map((more) => aPool(more))] });

describe("the configuration", () => {
  test("fills what has a good default", () => {
    const fleet = parseConfiguration(aFleet(), "here");
    expect(fleet).toMatchObject({ name: "fleetwright", zones: 3, logRetentionDays: 30, deletionProtection: true });
    expect(fleet.pools[0]).toMatchObject({
      idleSeconds: 300,
      bootSeconds: 600,
      drainSeconds: 600,
      disruption: { share: 0.1 },
      mostLosses: 3,
      shared: false,
      teams: [],
      volumeGiB: 100,
      architecture: "x86_64",
    });
  });

  test("gives handlers exactly what they read", () => {
    expect(() => FleetFile.parse(fleetFile(parseConfiguration(aFleet(), "here")))).not.toThrow();
  });

  test("gives handlers a pool's budgets, where it has any", () => {
    const budgets = { usdPerDay: 200, usdPerMonth: 3000 };
    const fleet = fleetFile(parseConfiguration(aFleet({ pools: [aPool({ budgets }), aPool({ name: "free" })] }), "here"));
    expect(FleetFile.parse(fleet).pools.map((pool) => pool.budgets)).toEqual([budgets, undefined]);
    expect(parseConfiguration(aFleet({ pools: [aPool({ budgets: { usdPerMonth: 0 } })] }), "here").pools[0]?.budgets).toEqual({
      usdPerMonth: 0,
    });
  });

  test("gives handlers where a pool's jobs may move, and after how long", () => {
    const chain = pools({ fallback: "b", teams: ["research"] }, { fallback: "c", fallbackSeconds: 60 }, { name: "c" });
    const told = FleetFile.parse(fleetFile(parseConfiguration(chain, "here"))).pools;
    expect(told.map(({ fallback, fallbackSeconds }) => [fallback, fallbackSeconds])).toEqual([
      ["b", 300],
      ["c", 60],
      [undefined, 300],
    ]);
    expect(told.map((pool) => fallbacksOf(pool, told).map(({ name }) => name))).toEqual([["b", "c"], ["c"], []]);
  });

  test.each(["cdk/fleet.config.ts", "cdk/local.config.ts"])("%s is one", async (file) => {
    await expect(loadConfiguration(file)).resolves.toMatchObject({ teams: ["research", "vision"], defaultPool: "gpu" });
  });

  test("may be a JSON file", async () => {
    await expect(loadConfiguration(written("fleet.json", JSON.stringify(aFleet())))).resolves.toMatchObject({ teams: ["research"] });
  });

  test.each<[string, unknown, RegExp]>([
    [
      "a team that nobody knows",
      aFleet({ pools: [aPool({ teams: ["research", "sales"] })] }),
      /pool "gpu" names the team "sales", which is not in teams \(research\)/,
    ],
    ["two pools of one name", aFleet({ pools: [aPool(), aPool()] }), /pools: .*"gpu" is there twice/],
    ["two teams of one name", aFleet({ teams: ["research", "research"] }), /teams: .*"research" is there twice/],
    ["a default pool that is not there", aFleet({ defaultPool: "cpu" }), /there is no pool "cpu" \(there is gpu\)/],
    [
      "a team that no pool takes",
      aFleet({ teams: ["research", "vision"], pools: [aPool({ teams: ["vision"] })] }),
      /no pool takes jobs of the team "research"/,
    ],
    ["no market", aFleet({ pools: [aPool({ markets: [] })] }), /pools\.0\.markets: .*name at least one of "spot" and "on-demand"/],
    ["no family", aFleet({ pools: [aPool({ families: [] })] }), /at least one instance family/],
    ["a family that is none", aFleet({ pools: [aPool({ families: ["G5; rm"] })] }), /must look like "g5", or "g5\.xlarge"/],
    [
      "a negative limit",
      aFleet({ pools: [aPool({ limits: { usdPerHour: -1, gpus: 4 } })] }),
      /pools\.0\.limits\.usdPerHour: .*must not be negative/,
    ],
    ["half a GPU", aFleet({ pools: [aPool({ limits: { usdPerHour: 1, gpus: 0.5 } })] }), /pools\.0\.limits\.gpus: expected a whole number/],
    [
      "a budget of less than nothing",
      aFleet({ pools: [aPool({ budgets: { usdPerDay: -1 } })] }),
      /pools\.0\.budgets\.usdPerDay: .*must not be negative/,
    ],
    [
      "a life too short to boot and be drained in",
      aFleet({ pools: [aPool({ maxLifetimeSeconds: 1200 })] }),
      /pools\.0\.maxLifetimeSeconds: .*must be longer than bootSeconds and drainSeconds together \(1200\)/,
    ],
    ["a life of nothing", aFleet({ pools: [aPool({ maxLifetimeSeconds: 0 })] }), /must be ten minutes or more/],
    ["a life of a century", aFleet({ pools: [aPool({ maxLifetimeSeconds: 3_155_760_000 })] }), /must not be longer than a year/],
    [
      "a drain that ended before it began",
      aFleet({ pools: [aPool({ drainSeconds: -1 })] }),
      /pools\.0\.drainSeconds: .*must not be negative/,
    ],
    ["a consolidation each second", aFleet({ pools: [aPool({ consolidateSeconds: 1 })] }), /must be a minute or more/],
    [
      "a disruption of half a node",
      aFleet({ pools: [aPool({ disruption: { nodes: 0.5 } })] }),
      /must be \{ nodes: 2 \} or \{ share: 0\.1 \}/,
    ],
    ["a disruption of more than all", aFleet({ pools: [aPool({ disruption: { share: 1.1 } })] }), /is a part of 1/],
    [
      "a budget for a time that it does not know",
      aFleet({ pools: [{ ...aPool(), budgets: { usdPerWeek: 1 } }] }),
      /there is no field "usdPerWeek"/,
    ],
    ["a fallback that is not there", pools({ fallback: "cpu" }), /pools\.0\.fallback: .*there is no pool "cpu" \(there is gpu, b\)/],
    ["a pool that is its own fallback", pools({ fallback: "gpu" }), /pool "gpu" cannot be its own fallback/],
    [
      "fallbacks that form a circle",
      pools({ fallback: "b" }, { fallback: "c" }, { name: "c", fallback: "b" }),
      /pools\.1\.fallback: .*jobs of pool "b" would come back to it.*/,
    ],
    [
      "a fallback that not every team of the pool may use",
      aFleet({ teams: ["research", "vision"], pools: [aPool({ fallback: "b" }), aPool({ name: "b", teams: ["research"] })] }),
      /pool "b" does not take jobs of vision, which may use pool "gpu"/,
    ],
    [
      "a shared fallback of a pool that keeps teams apart",
      aFleet({ teams: ["research", "vision"], pools: [aPool({ fallback: "b" }), aPool({ name: "b", shared: true })] }),
      /pool "gpu" keeps teams on nodes of their own and pool "b" is shared/,
    ],
    [
      "a fallback without containers of a pool that runs them",
      pools({ fallback: "b" }, { containers: false }),
      /pool "gpu" runs containers and pool "b" does not/,
    ],
    [
      "a fallback before it was refused",
      pools({ fallback: "b", fallbackSeconds: -1 }),
      /pools\.0\.fallbackSeconds: .*must not be negative/,
    ],
    ["no team", aFleet({ teams: [] }), /name at least one team/],
    ["a name that AWS would refuse", aFleet({ name: "My Fleet" }), /1 to 20 of a-z/],
    ["a misspelt field", aFleet({ zone: 2 }), /there is no field "zone"/],
    ["a volume too small for the image", aFleet({ pools: [aPool({ volumeGiB: 20 })] }), /75 GiB/],
    ["a retention CloudWatch has not", aFleet({ logRetentionDays: 31 }), /logRetentionDays/],
  ])("refuses %s", (_what, value, message) => {
    expect(() => parseConfiguration(value, "here")).toThrow(message);
  });

  test("names every mistake at once, and the file", () => {
    const mistakes = aFleet({ defaultPool: "cpu", pools: [aPool({ teams: ["sales"] }), aPool()] });
    expect(() => parseConfiguration(mistakes, "fleet.config.ts")).toThrow(/in fleet\.config\.ts.*twice.*"sales".*no pool "cpu"/s);
  });

  test.each<[string, string, RegExp]>([
    ["a file that is not there", join(tmpdir(), "fleetwright-none.ts"), /cannot be read/],
    ["JSON that is none", written("broken.json", "{"), /cannot be read/],
    ["a module without a default export", written("empty.mjs", "export const fleet = 1;"), /has no default export/],
  ])("says so of %s", async (_what, file, message) => {
    await expect(loadConfiguration(file)).rejects.toThrow(message);
  });
});

function written(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "fleetwright-config-")), name);
  writeFileSync(file, text);
  return file;
}
