import { Stack } from "aws-cdk-lib";
import { CfnFunction } from "aws-cdk-lib/aws-lambda";
import { expect, test } from "vitest";
import { type ConfigurationFile, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { environmentBytes, resourcesOf, resourcesPer, sizeProblems } from "../../cdk/size.ts";
import { aFleetApp } from "./synthesized.ts";

const [pool] = fleetConfig.pools;
if (!pool) throw new Error("the configuration has no pool");
const many = (what: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${what}${n}`);
const aFleet = (teams: number, pools: readonly string[]): ConfigurationFile => ({
  ...fleetConfig,
  teams: many("team", teams),
  pools: pools.map((name) => ({ ...pool, name })),
  defaultPool: pools[0] ?? "",
});
const stackOf = (teams: number, pools: readonly string[]) => aFleetApp(aFleet(teams, pools)).stack;
const problemsOf = (teams: number, pools: readonly string[]) =>
  sizeProblems(stackOf(teams, pools), parseConfiguration(aFleet(teams, pools), "the test"));

test("each further team and pool adds as many resources as the message about a stack that is too large assumes", () => {
  const count = (teams: number, pools: number): number => resourcesOf(stackOf(teams, many("pool", pools))).length;
  const one = count(1, 1);
  expect([count(3, 1) - one, count(1, 3) - one]).toEqual([2 * resourcesPer.team, 2 * resourcesPer.pool]);
});

test("27 teams fit, and too many teams are refused in a sentence that says how many fit", () => {
  expect(problemsOf(27, ["gpu"])).toEqual([]);
  const [message = ""] = problemsOf(40, ["gpu"]);
  expect(message).toMatch(
    /^40 teams and 1 pool make \d+ resources, and CloudFormation accepts 500 in a stack: with this many pools, \d+ teams fit\./,
  );
  const fit = Number(/(\d+) teams fit/.exec(message)?.[1]);
  expect([problemsOf(fit, ["gpu"]), problemsOf(fit + 1, ["gpu"]).length]).toEqual([[], 1]);
});

test("an environment that Lambda would refuse is named, with what to do", () => {
  const stack = new Stack();
  const code = { zipFile: "" };
  const role = "arn:aws:iam::000000000000:role/r";
  const variables = (bytes: number) => ({ variables: { A: "a".repeat(bytes - 1) } });
  new CfnFunction(stack, "Full", { functionName: "full", code, role, environment: variables(4096) });
  new CfnFunction(stack, "Over", { functionName: "over", code, role, environment: variables(4097) });
  expect(sizeProblems(stack, { teams: [], pools: [] })).toEqual([
    "the environment of the function over would have about 4097 bytes, and Lambda accepts 4096: use fewer pools, or shorter names for them",
  ]);
});

test("the length of an environment is an upper bound of what Lambda counts", () => {
  const stack = stackOf(1, ["gpu", "big"]);
  const place = stack.node
    .findAll()
    .find((each): each is CfnFunction => each instanceof CfnFunction && each.functionName === "fleetwright-place");
  if (!place) throw new Error("there is no function place");
  const bytes = environmentBytes(stack, place);
  const templates = JSON.stringify({ gpu: `lt-${"0".repeat(17)}`, big: `lt-${"0".repeat(17)}` });
  expect(bytes).toBeGreaterThan(templates.length + 3 * 80);
  expect(bytes).toBeLessThan(2_000);
});
