import { Ec2Error } from "../../requests/query-protocol.ts";

/** How many values of a parameter one call may have, per action, as EC2 documents it. Parameters are numbered as on the wire. */
const maxNames: Readonly<Record<string, readonly (readonly [parameter: RegExp, most: number])[]>> = {
  DescribeInstanceTypes: [[/^InstanceType\.\d+$/, 100]],
  DescribeInstances: [[/^InstanceId\.\d+$/, 1_000]],
  TerminateInstances: [[/^InstanceId\.\d+$/, 1_000]],
  CreateFleet: [
    [/^LaunchTemplateConfigs\.\d+\.Overrides\.\d+\.InstanceType$/, 300],
    [/^LaunchTemplateConfigs\.\d+\.Overrides\.\d+\.SubnetId$/, 300],
  ],
};
const maxFilters = 50;
const maxFilterValues = 200;
/** The largest value of MaxResults. The smallest is 5. */
const maxResults: Readonly<Record<string, number>> = {
  DescribeInstanceTypes: 100,
  DescribeInstances: 1_000,
  DescribeInstanceTypeOfferings: 1_000,
};

/** Throws if a call exceeds EC2's limits, because moto would carry it out. */
export function refuseTooMuch(action: string, form: URLSearchParams): void {
  const count = (pattern: RegExp): number => [...form.keys()].filter((name) => pattern.test(name)).length;
  const values = count(/^Filter\.\d+\.Value\.\d+$/);
  if (values > maxFilterValues || count(/^Filter\.\d+\.Name$/) > maxFilters)
    throw new Ec2Error("FilterLimitExceeded", `The maximum number of filter values specified on a single call is ${maxFilterValues}`);
  for (const [pattern, most] of maxNames[action] ?? [])
    if (count(pattern) > most)
      throw new Ec2Error("InvalidParameterValue", `${action} accepts at most ${most} values, but ${count(pattern)} were given`);
  const requested = form.get("MaxResults");
  const top = maxResults[action];
  if (requested !== null && top !== undefined && (Number(requested) < 5 || Number(requested) > top))
    throw new Ec2Error(
      "InvalidParameterValue",
      `Value ( ${requested} ) for parameter maxResults is invalid. Expecting a value between 5 and ${top}.`,
    );
}
