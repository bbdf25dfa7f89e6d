import { expect, test } from "vitest";
import { createAccountFront } from "../../../lib/local/account/account-front.ts";
import { emptyBlueprint } from "../../../lib/local/provision/world.ts";

const aFunction = {
  name: "fleetwright-place",
  arn: "arn:aws:lambda:us-east-1:000000000000:function:fleetwright-place",
  folder: "/x",
  handler: "place.handler",
  timeoutMs: 60_000,
  memoryMiB: 512,
  logGroupArn: "",
  variables: { TABLE: "t" },
  role: "place",
  maximumConcurrency: 20,
};

const front = createAccountFront({
  blueprint: { ...emptyBlueprint(), functions: [aFunction] },
  alarms: () => ["a-1", "a-2", "b-1"].map((name) => ({ name, state: "OK", sinceMs: 0, reason: "fine" })),
});

const headersOf = (service: string, target?: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/${service}/aws4_request, Signature=x`,
  ...(target !== undefined && { "x-amz-target": target }),
});

async function call(service: string, { path = "/", target, body = "" }: { path?: string; target?: string; body?: string }) {
  const headers = headersOf(service, target);
  if (!front.takes(path, headers)) return "elsewhere";
  const { status, body: sent } = await front.handle({ method: "POST", path, headers, body: Buffer.from(body) });
  return { status, body: JSON.parse(String(sent)) };
}

test("Lambda's account settings leave out what functions reserve", async () => {
  expect(await call("lambda", { path: "/2016-08-19/account-settings" })).toMatchObject({
    status: 200,
    body: { AccountLimit: { ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 980 } },
  });
});

test("the configuration of a function of the stack contains its environment, and there is none of other functions", async () => {
  const path = (name: string): string => `/2015-03-31/functions/${name}/configuration`;
  expect(await call("lambda", { path: path("fleetwright-place") })).toMatchObject({
    status: 200,
    body: { Environment: { Variables: { TABLE: "t" } } },
  });
  expect(await call("lambda", { path: path("other") })).toMatchObject({ status: 404 });
});

test("quotas of vCPUs and VPCs have a value, and others do not exist", async () => {
  const quota = (ServiceCode: string, QuotaCode: string) =>
    call("servicequotas", { target: "ServiceQuotasV20190624.GetServiceQuota", body: JSON.stringify({ ServiceCode, QuotaCode }) });
  expect(await quota("ec2", "L-DB2E81BA")).toMatchObject({ status: 200, body: { Quota: { Value: 1_000 } } });
  expect(await quota("vpc", "L-F678F1CE")).toMatchObject({ status: 200, body: { Quota: { Value: 5 } } });
  expect(await quota("rds", "L-1")).toMatchObject({ status: 400, body: { __type: "NoSuchResourceException" } });
});

test("alarms are listed by the beginning of their names", async () => {
  const listed = await call("monitoring", { target: "GraniteServiceVersion20100801.DescribeAlarms", body: '{"AlarmNamePrefix":"a-"}' });
  expect(listed).toMatchObject({ body: { MetricAlarms: [{ AlarmName: "a-1" }, { AlarmName: "a-2" }] } });
});

test.each([
  ["monitoring", { target: "GraniteServiceVersion20100801.PutMetricData" }],
  ["lambda", { path: "/2015-03-31/functions/fleetwright-place/invocations" }],
  ["sqs", { target: "AmazonSQS.SendMessage" }],
])("calls of %s that it does not know go where they went before: %j", async (service, of) => {
  expect(await call(service, of)).toBe("elsewhere");
});
