import { expect, test } from "vitest";
import { fleetFile, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import { oldNames, remarks } from "../../cdk/remarks.ts";
import { FleetFile } from "../../lib/runtime/fleet-file.ts";

const pool = { name: "gpu", families: ["g5"], markets: ["spot"], limits: { usdPerHour: 10, gpus: 4 } };
const fleet = (over: Record<string, unknown>): unknown => ({ teams: ["research", "vision"], pools: [pool], defaultPool: "gpu", ...over });

test("the handlers' part of the configuration has the deployment's and the teams' limits", () => {
  const limits = { limits: { usdPerHour: 40 }, teamLimits: { vision: { gpus: 8 }, research: { usdPerHour: 0, gpus: 0 } } };
  expect(FleetFile.parse(fleetFile(parseConfiguration(fleet(limits), "here")))).toMatchObject(limits);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["negative dollars", { limits: { usdPerHour: -1 } }, /limits\.usdPerHour: .*must not be negative/],
  ["negative GPUs", { teamLimits: { vision: { gpus: -1 } } }, /teamLimits\.vision\.gpus: .*must not be negative/],
  ["half a GPU", { limits: { gpus: 0.5 } }, /limits\.gpus: expected a whole number/],
  ["an absurd number of dollars", { limits: { usdPerHour: 1e300 } }, /limits\.usdPerHour: .*a million dollars an hour/],
  ["NaN dollars", { limits: { usdPerHour: Number.NaN } }, /limits\.usdPerHour: /],
  [
    "a pool's absurd limit",
    { pools: [{ ...pool, limits: { usdPerHour: 1, gpus: 1e9 } }] },
    /pools\.0\.limits\.gpus: .*more than a million/,
  ],
  ["empty limits", { limits: {} }, /limits: .*limit "usdPerHour", "gpus" or both/],
  [
    "an unknown team",
    { teamLimits: { sales: { gpus: 1 } } },
    /teamLimits\.sales: .*there is no team "sales"; known teams: research, vision/,
  ],
])("the configuration of limits refuses %s", (_what, over, message) => {
  expect(() => parseConfiguration(fleet(over), "here")).toThrow(message);
});

const remarksOf = (over: Record<string, unknown>) => remarks(parseConfiguration(fleet(over), "here"));

test("limits that contradict each other are allowed and result in warnings", () => {
  expect(remarksOf({})).toEqual([]);
  expect(remarksOf({ limits: { usdPerHour: 10, gpus: 4 }, teamLimits: { vision: { gpus: 4 } } })).toEqual([]);
  expect(remarksOf({ limits: { usdPerHour: 9, gpus: 3 }, teamLimits: { vision: { gpus: 8 } } })).toEqual([
    "pool gpu may reserve $10/h, but the whole deployment may reserve only $9/h",
    "pool gpu may reserve 4 GPUs, but the whole deployment may reserve only 3 GPUs",
    "team vision may reserve 8 GPUs, but the whole deployment may reserve only 3 GPUs",
  ]);
  const shared = [
    { ...pool, shared: true },
    { ...pool, name: "ours", shared: true, teams: ["research"] },
  ];
  expect(remarksOf({ pools: shared, teamLimits: { vision: { gpus: 4 } } })).toEqual([
    "the limit of team vision does not cover its jobs in gpu, because nodes of shared pools do not count towards any team",
  ]);
  expect(remarksOf({ limits: { usdPerHour: 0 } })).toContain(
    "the limits of the whole deployment allow no node that costs something or has a GPU",
  );
});

test("the old name mostLosses is accepted and results in a warning that says what to write", () => {
  const older = parseConfiguration(fleet({ pools: [{ ...pool, mostLosses: 5 }] }), "here");
  expect(older.pools[0]).toMatchObject({ maxLosses: 5 });
  expect(oldNames(older)).toEqual([
    'pool gpu: mostLosses is now called maxLosses; write "maxLosses: 5", because the next release refuses the old name',
  ]);
  expect(oldNames(parseConfiguration(fleet({ pools: [{ ...pool, maxLosses: 5 }] }), "here"))).toEqual([]);
});

test("handlers read only the new name maxLosses, even if the configuration has the old one", () => {
  const [written] = fleetFile(parseConfiguration(fleet({ pools: [{ ...pool, mostLosses: 5 }] }), "here")).pools;
  expect(written).toMatchObject({ maxLosses: 5 });
  expect(written).not.toHaveProperty("mostLosses");
});

test("a pool that has both maxLosses and its old name is refused", () => {
  expect(() => parseConfiguration(fleet({ pools: [{ ...pool, maxLosses: 5, mostLosses: 5 }] }), "here")).toThrow(
    /pools\.0\.mostLosses: is the old name of maxLosses, which is also set; write only maxLosses/,
  );
});
