import { expect, test } from "vitest";
import { concurrencyRemarks } from "../../cdk/configuration/concurrency.ts";
import { parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { Synthesized } from "./synthesized.ts";

const parse = (reservedConcurrency?: object, more: object = {}) =>
  parseConfiguration({ ...fleetConfig, ...more, ...(reservedConcurrency && { reservedConcurrency }) }, "the test");
const reservedIn = (stack: Synthesized): Record<string, unknown> =>
  Object.fromEntries(
    stack.all("AWS::Lambda::Function").flatMap(({ properties }) => {
      const reserved = properties["ReservedConcurrentExecutions"];
      return reserved === undefined ? [] : [[String(properties["FunctionName"]), reserved]];
    }),
  );

test("no function has reserved concurrency by default, because an account with a small limit could not be deployed to", () => {
  expect(reservedIn(new Synthesized())).toEqual({});
});

test("the functions that keep the fleet alive, and the API, get the concurrency that is set aside for them", () => {
  const reservedConcurrency = { accountLimit: 1_000, node: 60, place: 5, tick: 2, api: 40 };
  expect(reservedIn(new Synthesized({ ...fleetConfig, reservedConcurrency }))).toEqual({
    "fleetwright-node": 60,
    "fleetwright-place": 5,
    "fleetwright-tick": 2,
    "fleetwright-api": 40,
  });
  expect(reservedIn(new Synthesized({ ...fleetConfig, reservedConcurrency: { accountLimit: 1_000, api: 40 } }))).toEqual({
    "fleetwright-api": 40,
  });
});

test.each([
  [{ node: 10 }, /reservedConcurrency\.accountLimit/],
  [{ accountLimit: 10, node: 2 }, /reservedConcurrency\.accountLimit: .*must be more than 100, because Lambda keeps 100/],
  [{ accountLimit: 150, node: 30, api: 21 }, /sets aside 51, but an account with a concurrency of 150 can set aside at most 50/],
  [{ accountLimit: 1_000, node: 0 }, /reservedConcurrency\.node: .*must be 1 or more/],
  [{ accountLimit: 1_000, seal: 5 }, /reservedConcurrency.*seal/],
])("the configuration refuses to set aside %j", (reserved, message) => {
  expect(() => parse(reserved)).toThrow(message);
});

test("the configuration warns if queues or the API can use up what the fleet needs", () => {
  expect(concurrencyRemarks(parse())).toEqual([]);
  expect(concurrencyRemarks(parse({ accountLimit: 1_000, node: 50 }))).toEqual([]);
  expect(concurrencyRemarks(parse({ accountLimit: 150, node: 50 }))).toEqual([]);
  expect(concurrencyRemarks(parse({ accountLimit: 150, node: 50 }, { queueConcurrency: { seal: 80 } }))).toEqual([
    "queueConcurrency lets teams use 100 of the 100 concurrent runs that are left for functions without reserved concurrency",
  ]);
  expect(concurrencyRemarks(parse({ accountLimit: 1_000, tick: 2 }))).toEqual([
    "neither node nor api has reserved concurrency, so calls of the API can use up what workers need to keep their leases",
  ]);
});
