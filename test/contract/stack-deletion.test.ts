import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import { ec2Fleet } from "../../lib/aws/ec2/fleet.ts";
import { endInstances } from "../../lib/aws/ec2/fleet-instances.ts";
import { ec2TaggedInstances } from "../../lib/aws/ec2/tagged-instances.ts";
import { changeStack } from "../../lib/flows/change-stack.ts";
import { handleStackChange } from "../../lib/runtime/stack-response.ts";
import { aLaunch, anOffer } from "../fakes/builders.ts";
import { aStage, type Ec2Stage } from "./ec2-stage.ts";
import { served } from "./served.ts";
import { unique } from "./wire.ts";

const sample = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "events", "samples", "stack-delete.json"), "utf8"));
let stage: Ec2Stage;
beforeEach(async () => {
  stage = await aStage();
});
afterEach(() => stage.close());

test("CloudFormation's Delete request ends every instance of the deployment, and none of another, before it gets its response", async () => {
  const ec2 = ec2Client(stage.settings);
  const responses: unknown[] = [];
  const cloudFormation = await served(async ({ body }) => {
    responses.push(JSON.parse(body.toString()));
    return { status: 200, headers: {}, body: Buffer.from("") };
  });
  const offers = stage.subnets.slice(0, 1).map(({ zone }) => anOffer({ zone }));
  const launch = (name: string, id: string) =>
    ec2Fleet({ ec2, name, launchTemplates: { gpu: stage.template }, subnets: stage.subnets }).launch(
      aLaunch({ id, clientToken: id, offers }),
    );
  // Other tests launch instances at the same time.
  const [ours, another] = [unique("ours"), unique("another")];
  for (const id of ["delete-1", "delete-2"]) await launch(ours, id);
  await launch(another, "delete-3");
  const living = (name: string) => ec2TaggedInstances({ ec2, name }).list();
  expect(await living(ours)).toHaveLength(2);

  // The clock runs a hundred times faster, so that the minute and a half without instances takes a second.
  const fromMs = Date.now();
  const now = () => fromMs + (Date.now() - fromMs) * 100;
  const deps = {
    instances: ec2TaggedInstances({ ec2, name: ours }),
    fleet: { terminate: (ids: readonly string[]) => endInstances(ec2, ids) },
    now,
    pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms / 100)),
    log: () => {},
  };
  const errors: unknown[] = [];
  await handleStackChange(
    { ...sample, ResponseURL: cloudFormation.url },
    (change) => changeStack(deps, change, { untilMs: fromMs + 840_000 }),
    (error) => errors.push(error),
  );
  expect(errors).toEqual([]);
  expect(responses).toMatchObject([{ Status: "SUCCESS", PhysicalResourceId: sample.PhysicalResourceId }]);
  expect(await living(ours)).toEqual([]);
  expect(await living(another)).toHaveLength(1);
  await cloudFormation.close();
});
