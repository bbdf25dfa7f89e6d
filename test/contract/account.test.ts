import { PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { CreateAliasCommand, CreateKeyCommand, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import { expect, inject, test } from "vitest";
import { whoAmI } from "../../lib/aws/account/caller.ts";
import { accountConcurrency, functionVariables, queueConcurrency } from "../../lib/aws/account/functions.ts";
import { machineImage, nodeTemplate, vpcCount, zonesOfRegion } from "../../lib/aws/account/machine.ts";
import { quotaValue } from "../../lib/aws/account/quotas.ts";
import { alarmStandings, keyState, roleExists, storedParameter } from "../../lib/aws/account/standing.ts";
import { cloudwatchClient } from "../../lib/aws/clients/cloudwatch.ts";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import { iamClient } from "../../lib/aws/clients/iam.ts";
import { kmsClient } from "../../lib/aws/clients/kms.ts";
import { lambdaClient } from "../../lib/aws/clients/lambda.ts";
import { serviceQuotasClient } from "../../lib/aws/clients/service-quotas.ts";
import { ssmClient } from "../../lib/aws/clients/ssm.ts";
import { stsClient } from "../../lib/aws/clients/sts.ts";
import { createSpotRole } from "../../lib/local/account/spot-role.ts";
import { administrator, createIdentities } from "../../lib/local/requests/identities.ts";
import { unique, wire } from "./wire.ts";

const [ministack, moto] = [wire(inject("ministackUrl")), wire(inject("motoUrl"))];
const [ec2, kms, iam] = [ec2Client(moto), kmsClient(ministack), iamClient(ministack)];

test("the caller's account is known, and AWS's clock is close to this machine's", async () => {
  const who = await whoAmI(stsClient(ministack), Date.now);
  expect(who).toMatchObject({ caller: { account: expect.stringMatching(/^\d{12}$/) } });
  expect(Math.abs((who.clocks?.awsMs ?? 0) - (who.clocks?.hereMs ?? 0))).toBeLessThan(5_000);
});

test("the value of a quota is read", async () => {
  expect(await quotaValue(serviceQuotasClient(moto), { service: "vpc", code: "L-F678F1CE" })).toBe(5);
});

test("the role for spot exists once it was created", async () => {
  const name = "AWSServiceRoleForEC2Spot";
  expect(await roleExists(iam, name)).toBe(false);
  await createSpotRole(inject("ministackUrl"), createIdentities().issue(administrator));
  expect(await roleExists(iam, name)).toBe(true);
});

test("the state of a key is read by its alias, and an alias without a key has none", async () => {
  const AliasName = `alias/${unique("doctor")}`;
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const KeyId = KeyMetadata?.KeyId ?? "";
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
  expect(await keyState(kms, AliasName)).toBe("Enabled");
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  expect(await keyState(kms, AliasName)).toBe("PendingDeletion");
  expect(await keyState(kms, `${AliasName}-none`)).toBeUndefined();
});

test("a parameter that does not exist is undefined", async () => {
  expect(await storedParameter(ssmClient(moto), "/doctor/none")).toBeUndefined();
});

test("alarms are listed with their states and actions, by the beginning of their names", async () => {
  const cloudwatch = cloudwatchClient(moto);
  const name = unique("doctor");
  const common = { Namespace: "n", MetricName: "m", Statistic: "Sum", Period: 60, EvaluationPeriods: 1, Threshold: 1 } as const;
  const Comparison = { ComparisonOperator: "GreaterThanThreshold" } as const;
  const topic = "arn:aws:sns:us-east-1:000000000000:people";
  await cloudwatch.send(new PutMetricAlarmCommand({ AlarmName: `${name}-a`, ...common, ...Comparison, AlarmActions: [topic] }));
  await cloudwatch.send(
    new PutMetricAlarmCommand({ AlarmName: `${name}-b`, ...common, ...Comparison, AlarmActions: [topic], ActionsEnabled: false }),
  );
  const alarms = await alarmStandings(cloudwatch, `${name}-`);
  expect(alarms.map(({ name: alarm, actions }) => [alarm, actions])).toEqual([
    [`${name}-a`, [topic]],
    [`${name}-b`, []],
  ]);
});

test("Lambda's limits are read, and a function that does not exist is an error", async () => {
  const lambda = lambdaClient(ministack);
  const { concurrent, unreserved } = await accountConcurrency(lambda);
  expect(concurrent).toBeGreaterThan(0);
  expect(unreserved).toBe(concurrent);
  expect(await queueConcurrency(lambda, ["none"])).toBe(0);
  await expect(functionVariables(lambda, "none")).rejects.toThrow(/not found/i);
});

test("zones, VPCs and images are read, and an image or a template that does not exist is not found", async () => {
  expect(await zonesOfRegion(ec2)).toContain("us-east-1a");
  expect(await vpcCount(ec2)).toBeGreaterThan(0);
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["amzn2-ami-hvm-*"] }] }));
  const id = Images[0]?.ImageId ?? "";
  expect(await machineImage(ec2, id)).toMatchObject({ id, state: "available", architecture: expect.any(String) });
  expect(await machineImage(ec2, "ami-00000000000000000")).toBeUndefined();
  await expect(nodeTemplate(ec2, "lt-00000000000000000")).rejects.toThrow();
});
