import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { expect, inject, test } from "vitest";
import { ssmClient } from "../../lib/aws/clients/ssm.ts";
import { findDeployment } from "../../lib/aws/deployment.ts";
import type { Deployment } from "../../lib/model/deployment.ts";
import { unique, wire } from "./wire.ts";

const ssm = ssmClient(wire(inject("motoUrl")));

const deployed: Deployment = {
  name: "prod",
  table: "prod-table",
  jobsQueuePrefix: "prod-jobs-",
  incomingBucket: "incoming",
  artifactsBucket: "artifacts",
  codeBucket: "code",
  datasetsBucket: "datasets",
  decisionsBucket: "decisions",
  keyAliasPrefix: "alias/prod/",
  logGroupPrefix: "/prod/",
  apiUrl: "https://api.example/",
  teams: ["vision"],
  pools: ["gpu"],
  defaultPool: "gpu",
};

const put = (name: string, Value: string): Promise<unknown> =>
  ssm.send(new PutParameterCommand({ Name: `/fleetwright/${name}/deployment`, Type: "String", Value }));

test("a deployment is found by its name", async () => {
  const name = unique("prod");
  await put(name, JSON.stringify({ ...deployed, somethingNewer: true }));
  expect(await findDeployment(ssm, name)).toEqual(deployed);
});

test("the error about a deployment that does not exist says what to do", async () => {
  await expect(findDeployment(ssm, "nowhere")).rejects.toMatchObject({
    code: "no-deployment",
    message: "There is no Fleetwright named nowhere in this account and region; deploy it with `npx cdk deploy`",
  });
});

test.each(["not JSON", "{}", JSON.stringify({ ...deployed, teams: ["No Team"] })])(
  "one that says %s is of another release",
  async (text) => {
    const name = unique("odd");
    await put(name, text);
    await expect(findDeployment(ssm, name)).rejects.toMatchObject({ code: "deployment" });
  },
);
