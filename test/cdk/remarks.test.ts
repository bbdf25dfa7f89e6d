import { expect, test } from "vitest";
import { fleetFile, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import { remarks } from "../../cdk/remarks.ts";
import { FleetFile } from "../../lib/runtime/fleet-file.ts";

const pool = { name: "gpu", families: ["g5"], markets: ["spot"], limits: { usdPerHour: 10, gpus: 4 } };
const fleet = (over: Record<string, unknown>): unknown => ({ teams: ["research", "vision"], pools: [pool], defaultPool: "gpu", ...over });

test("limits beyond the pools' reach the handlers, each part or both", () => {
  const limits = { limits: { usdPerHour: 40 }, teamLimits: { vision: { gpus: 8 }, research: { usdPerHour: 0, gpus: 0 } } };
  expect(FleetFile.parse(fleetFile(parseConfiguration(fleet(limits), "here")))).toMatchObject(limits);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["negative dollars", { limits: { usdPerHour: -1 } }, /limits\.usdPerHour: .*must not be negative/],
  ["negative GPUs", { teamLimits: { vision: { gpus: -1 } } }, /teamLimits\.vision\.gpus: .*must not be negative/],
  ["half a GPU", { limits: { gpus: 0.5 } }, /limits\.gpus: expected a whole number/],
  ["more money than there is", { limits: { usdPerHour: 1e300 } }, /limits\.usdPerHour: .*a million dollars an hour/],
  ["no number", { limits: { usdPerHour: Number.NaN } }, /limits\.usdPerHour: /],
  [
    "a pool's absurd limit",
    { pools: [{ ...pool, limits: { usdPerHour: 1, gpus: 1e9 } }] },
    /pools\.0\.limits\.gpus: .*more than a million/,
  ],
  ["nothing limited", { limits: {} }, /limits: .*limit "usdPerHour", "gpus" or both/],
  [
    "a team that nobody knows",
    { teamLimits: { sales: { gpus: 1 } } },
    /teamLimits\.sales: .*there is no team "sales" \(there is research, vision\)/,
  ],
])("refuses %s", (_what, over, message) => {
  expect(() => parseConfiguration(fleet(over), "here")).toThrow(message);
});

const said = (over: Record<string, unknown>) => remarks(parseConfiguration(fleet(over), "here"));

test("what may be meant otherwise is allowed, and said", () => {
  expect(said({})).toEqual([]);
  expect(said({ limits: { usdPerHour: 10, gpus: 4 }, teamLimits: { vision: { gpus: 4 } } })).toEqual([]);
  expect(said({ limits: { usdPerHour: 9, gpus: 3 }, teamLimits: { vision: { gpus: 8 } } })).toEqual([
    "pool gpu may reserve $10/h, but the whole deployment no more than $9/h",
    "pool gpu may reserve 4 GPUs, but the whole deployment no more than 3 GPUs",
    "team vision may reserve 8 GPUs, but the whole deployment no more than 3 GPUs",
  ]);
  const shared = [
    { ...pool, shared: true },
    { ...pool, name: "ours", shared: true, teams: ["research"] },
  ];
  expect(said({ pools: shared, teamLimits: { vision: { gpus: 4 } } })).toEqual([
    "the limit of team vision does not count what its jobs use in gpu: nodes of a shared pool are no team's",
  ]);
  expect(said({ limits: { usdPerHour: 0 } })).toContain(
    "the limits of the whole deployment hold back every node that costs something or has a GPU",
  );
});
