import { expect, test } from "vitest";
import fleetConfig from "../../cdk/fleet.config.ts";
import { billLines } from "../../lib/cli/cost/cost.ts";
import { type Bill, idleBill } from "../../lib/cli/cost/idle-bill.ts";
import { Template } from "../../lib/local/template/template.ts";
import { Synthesized } from "./synthesized.ts";

const billOf = (configuration = fleetConfig): Bill => idleBill(Template.parse(new Synthesized(configuration).template.toJSON()).Resources);
const usual = billOf();
const [pool] = fleetConfig.pools;

test("the price of every kind of resource of the stack is known", () => {
  expect(usual.unpriced).toEqual([]);
});

test("the default configuration costs at most $7.00 a month while it is idle", () => {
  expect(usual.usd).toBeLessThanOrEqual(7);
  expect(usual.usd).toBeGreaterThan(5);
  expect(usual.items.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(usual.usd);
});

test("each further team costs at most $1.40 a month, and each further pool at most $0.40", () => {
  const team = billOf({ ...fleetConfig, teams: [...fleetConfig.teams, "sales"] });
  expect(team.usd - usual.usd).toBeLessThanOrEqual(1.4);
  const more = billOf({ ...fleetConfig, pools: [...fleetConfig.pools, { ...pool, name: "second" } as (typeof fleetConfig.pools)[number]] });
  expect(more.usd - usual.usd).toBeLessThanOrEqual(0.4);
});

test("what is billed by the hour is not taken for free", () => {
  const gateway = { Type: "AWS::EC2::NatGateway", Properties: {}, Metadata: {} };
  const endpoint = { Type: "AWS::EC2::VPCEndpoint", Properties: { VpcEndpointType: "Interface" }, Metadata: {} };
  const dashboard = { Type: "AWS::CloudWatch::Dashboard", Properties: {}, Metadata: {} };
  const bill = idleBill({ gateway, endpoint, dashboard });
  expect(bill).toMatchObject({ usd: 3, unpriced: ["AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint"] });
  expect(billLines(bill, 80).at(-1)).toContain("AWS::EC2::NatGateway");
});

test("an alarm on an expression costs as much as alarms on each of its metrics", () => {
  const alarm = (Properties: Record<string, unknown>) => ({ Type: "AWS::CloudWatch::Alarm", Properties, Metadata: {} });
  const expression = [
    { Id: "e", Expression: "a+b" },
    { Id: "a", MetricStat: {} },
    { Id: "b", MetricStat: {} },
  ];
  expect(idleBill({ one: alarm({ MetricName: "Errors" }), two: alarm({ Metrics: expression }) }).items).toMatchObject([{ count: 3 }]);
});

test("each team's dead-letter queue costs one request to SQS per tick", () => {
  const queue = (QueueName: string) => ({ Type: "AWS::SQS::Queue", Properties: { QueueName }, Metadata: {} });
  const schedule = { Type: "AWS::Scheduler::Schedule", Properties: {}, Metadata: {} };
  const resources = {
    schedule,
    jobs: queue("fleetwright-jobs-a"),
    a: queue("fleetwright-dead-jobs-a"),
    b: queue("fleetwright-dead-jobs-b"),
  };
  const looks = idleBill(resources).items.find(({ what }) => what.startsWith("looks"));
  expect(looks).toMatchObject({ count: 2 * 43_800 });
  expect(looks?.usd).toBeCloseTo(2 * 43_800 * 0.4e-6);
});
