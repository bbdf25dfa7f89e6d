import { expect, test } from "vitest";
import fleetConfig from "../../cdk/fleet.config.ts";
import { memoryMiB } from "../../lib/cli/cost/control/functions.ts";
import { listIndex } from "../../lib/cli/cost/control/run.ts";
import { loadScenario } from "../../lib/cli/cost/control/workload.ts";
import { Synthesized } from "./synthesized.ts";

const stack = new Synthesized();

test("fleet cost --control bills each function with the memory that the stack gives it", () => {
  const functions = stack.all("AWS::Lambda::Function").map(({ properties }) => properties);
  for (const [name, memory] of Object.entries(memoryMiB))
    expect(
      functions.find(({ FunctionName }) => FunctionName === `fleetwright-${name}`),
      name,
    ).toMatchObject({ MemorySize: memory });
});

test("fleet cost --control counts the writes of the index that the stack's table has", () => {
  const [table] = stack.all("AWS::DynamoDB::Table");
  expect(table?.properties["GlobalSecondaryIndexes"]).toEqual([
    {
      IndexName: listIndex.name,
      KeySchema: [
        { AttributeName: listIndex.keys[0], KeyType: "HASH" },
        { AttributeName: listIndex.keys[1], KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: listIndex.holds },
    },
  ]);
});

test("fleet cost --control measures the pool and the teams of the configuration that is deployed by default", () => {
  const { teams, pools, offers } = loadScenario({ jobs: 1 });
  const [configured] = fleetConfig.pools;
  if (!configured) throw new Error("the configuration has no pool");
  const { families, maxRuntimeSeconds: _, ...pool } = configured;
  expect(teams).toEqual(fleetConfig.teams);
  expect(pools).toMatchObject([pool]);
  expect(new Set(offers.map(({ instanceType }) => instanceType.split(".")[0]))).toEqual(new Set(families));
});
