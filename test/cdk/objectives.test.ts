import { describe, expect, test } from "vitest";
import { fleetFile, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { idleBill } from "../../lib/cli/cost/idle-bill.ts";
import { Template } from "../../lib/local/template/template.ts";
import { Synthesized } from "./synthesized.ts";

const all = { launchSeconds: 60, startSeconds: 900, lostWork: 2 };
const withAll = { ...fleetConfig, objectives: all };
const stack = new Synthesized(withAll);
const alarm = (of: Synthesized, name: string) => of.one("AWS::CloudWatch::Alarm", "AlarmName", `fleetwright-${name}`).properties;
const namesIn = (of: Synthesized): unknown[] => of.all("AWS::CloudWatch::Alarm").map(({ properties }) => properties["AlarmName"]);
const usual = new Synthesized();

describe("objectives", () => {
  test.each([
    ["slow-launches", "LaunchSeconds", { ExtendedStatistic: "p99", Period: 3600, Threshold: 60 }],
    ["slow-starts", "StartSeconds", { ExtendedStatistic: "p99", Period: 3600, Threshold: 900 }],
    ["lost-work", "LostWork", { Statistic: "Sum", Period: 86_400, Threshold: 2 }],
  ])("the alarm %s goes off when more than what the objective allows is measured, and not without data", (name, metric, of) => {
    expect(alarm(stack, name)).toMatchObject({
      Namespace: "Fleetwright",
      MetricName: metric,
      Dimensions: [{ Name: "fleet", Value: "fleetwright" }],
      EvaluationPeriods: 1,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
      ...of,
    });
  });

  test("only an objective that is set has an alarm, and by default none is", () => {
    const one = new Synthesized({ ...fleetConfig, objectives: { lostWork: 0 } });
    expect(namesIn(one).filter((name) => !namesIn(usual).includes(name))).toEqual(["fleetwright-lost-work"]);
    expect(alarm(one, "lost-work")).toMatchObject({ Threshold: 0 });
  });

  test("each objective costs $0.10 a month while the deployment is idle", () => {
    const billOf = (of: Synthesized): number => idleBill(Template.parse(of.template.toJSON()).Resources).usd;
    expect(billOf(stack) - billOf(usual)).toBeCloseTo(0.3);
  });

  test("handlers know which objectives are set, because they publish no metric of others", () => {
    expect(fleetFile(parseConfiguration(withAll, "the test")).objectives).toEqual(all);
    expect(fleetFile(parseConfiguration(fleetConfig, "the test")).objectives).toEqual({});
  });

  test.each([
    ["a time of less than a second", { launchSeconds: 0.5 }, /objectives\.launchSeconds: must be a second or more/],
    ["a fraction of a run", { lostWork: 0.5 }, /objectives\.lostWork/],
    ["a misspelt objective", { launchSecond: 3 }, /there is no field "launchSecond"/],
  ])("the configuration refuses %s", (_what, objectives, message) => {
    expect(() => parseConfiguration({ ...fleetConfig, objectives }, "here")).toThrow(message);
  });
});
