import { expect, it } from "vitest";
import { refuseTooMuch } from "../../../lib/local/ec2/calls/request-limits.ts";

const numbered = (name: (n: number) => string, count: number): [string, string][] =>
  Array.from({ length: count }, (_, n) => [name(n + 1), `v${n}`]);
const call = (action: string, parameters: [string, string][]) => () => refuseTooMuch(action, new URLSearchParams(parameters));

it.each<[string, string, (n: number) => string, number, RegExp]>([
  ["values of filters", "DescribeInstances", (n) => `Filter.1.Value.${n}`, 200, /filter values/],
  ["filters", "DescribeInstanceTypes", (n) => `Filter.${n}.Name`, 50, /filter values/],
  ["names of types", "DescribeInstanceTypes", (n) => `InstanceType.${n}`, 100, /accepts at most 100 values/],
  ["instances to describe", "DescribeInstances", (n) => `InstanceId.${n}`, 1_000, /accepts at most 1000 values/],
  ["instances to end", "TerminateInstances", (n) => `InstanceId.${n}`, 1_000, /accepts at most 1000 values/],
])("the local EC2 accepts no more %s per call than EC2", (_what, action, name, most, message) => {
  expect(call(action, numbered(name, most))).not.toThrow();
  expect(call(action, numbered(name, most + 1))).toThrow(message);
});

it("the limit of filter values applies to all filters of a call together, and page sizes have EC2's bounds", () => {
  const both = [...numbered((n) => `Filter.1.Value.${n}`, 199), ...numbered((n) => `Filter.2.Value.${n}`, 2)];
  expect(call("DescribeInstanceTypeOfferings", both)).toThrow(expect.objectContaining({ code: "FilterLimitExceeded" }));
  expect(call("DescribeInstanceTypes", [["MaxResults", "100"]])).not.toThrow();
  expect(call("DescribeInstanceTypes", [["MaxResults", "101"]])).toThrow(/between 5 and 100/);
  for (const action of ["DescribeInstances", "DescribeInstanceTypeOfferings"]) {
    for (const allowed of ["5", "1000"]) expect(call(action, [["MaxResults", allowed]])).not.toThrow();
    for (const refused of ["4", "1001"]) expect(call(action, [["MaxResults", refused]])).toThrow(/between 5 and 1000/);
  }
});

it.each(["InstanceType", "SubnetId"])("a fleet request has at most 300 overrides, counted by their %s", (part) => {
  const overrides = (count: number): [string, string][] => numbered((n) => `LaunchTemplateConfigs.1.Overrides.${n}.${part}`, count);
  expect(call("CreateFleet", overrides(300))).not.toThrow();
  expect(call("CreateFleet", overrides(301))).toThrow(/at most 300 values/);
});
