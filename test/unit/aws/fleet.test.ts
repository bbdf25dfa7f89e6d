import { expect, test } from "vitest";
import { ec2Fleet } from "../../../lib/aws/ec2/fleet.ts";
import type { Fleet } from "../../../lib/ports/fleet.ts";
import type { LogLine } from "../../../lib/ports/log.ts";
import { aLaunch, anOffer } from "../../fakes/builders.ts";
import { failing, fakeEc2 } from "./ec2-responses.ts";

const subnets = [
  { zone: "us-east-1a", subnet: "subnet-a" },
  { zone: "us-east-1b", subnet: "subnet-b" },
];
const fleetOf = (responses: Parameters<typeof fakeEc2>[0]): { fleet: Fleet; calls: ReturnType<typeof fakeEc2>["calls"] } => {
  const { ec2, calls } = fakeEc2(responses);
  return { fleet: ec2Fleet({ ec2, name: "prod", launchTemplates: { gpu: "lt-1", cpu: "cpu-template" }, subnets }), calls };
};
/** Errors of calls about instances, with the status and whether they are logged. */
const refusedCalls: readonly (readonly [string, number | undefined, boolean])[] = [
  ["UnauthorizedOperation", 403, true],
  ["TimeoutError", undefined, true],
  ["RequestLimitExceeded", 503, false],
  ["InvalidInstanceID.NotFound", 400, false],
];

test.each(refusedCalls)(
  "whether a call about instances that fails with %s (status %s) is logged with its error is %s",
  async (name, status, isLogged) => {
    const lines: LogLine[] = [];
    const responses = { TerminateInstancesCommand: () => failing(name, status), DescribeInstancesCommand: () => failing(name, status) };
    const { ec2 } = fakeEc2(responses);
    const fleet = ec2Fleet({ ec2, name: "prod", launchTemplates: {}, subnets, log: (line) => lines.push(line) });
    await fleet.terminate(["i-1"]);
    await fleet.look(["i-1", "i-2"]);
    const error = expect.objectContaining({ name, stack: expect.stringContaining("ec2-responses.ts") });
    const expected = [
      { level: "error", message: "terminating instances failed", instances: ["i-1"], error },
      { level: "error", message: "describing instances failed", instances: ["i-1", "i-2"], error },
    ];
    expect(lines).toEqual(isLogged ? expected : []);
  },
);

test("the outcome of a failed launch or search contains the error with its stack", async () => {
  const error = expect.objectContaining({ name: "TypeError", stack: expect.stringContaining("fleet.test.ts") });
  const bug = (): never => {
    throw new TypeError("x is undefined");
  };
  const { fleet } = fleetOf({ CreateFleetCommand: bug, DescribeInstancesCommand: bug });
  expect(await fleet.launch(aLaunch())).toEqual({ kind: "unknown", message: "TypeError: x is undefined", error });
  expect(await fleet.find("launch-1")).toEqual({ kind: "unknown", message: "TypeError: x is undefined", error });
  const denied = fleetOf({ CreateFleetCommand: () => failing("UnauthorizedOperation", 403) });
  expect(await denied.fleet.launch(aLaunch())).toMatchObject({ kind: "turned-away", error: { name: "UnauthorizedOperation" } });
});

const given = { InstanceIds: ["i-1"], InstanceType: "g5.xlarge" as const, SubnetId: "subnet-b" };

test("the request for a launch is complete and the same in each try", async () => {
  const { fleet, calls } = fleetOf({ CreateFleetCommand: () => ({ Instances: [given] }) });
  const launch = aLaunch({
    offers: [anOffer({ zone: "us-east-1b" }), anOffer({ zone: "us-east-1c" }), anOffer({ instanceType: "g6.xlarge" })],
  });
  await fleet.launch(launch);
  await fleet.launch(launch);
  expect(calls[0]).toEqual(calls[1]);
  expect(calls[0]?.input).toEqual({
    Type: "instant",
    ClientToken: "launch-1",
    TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "spot" },
    SpotOptions: { AllocationStrategy: "price-capacity-optimized", InstanceInterruptionBehavior: "terminate" },
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: "lt-1", Version: "$Latest" },
        Overrides: [
          { InstanceType: "g5.xlarge", SubnetId: "subnet-b" },
          { InstanceType: "g6.xlarge", SubnetId: "subnet-a" },
        ],
      },
    ],
    TagSpecifications: [
      {
        ResourceType: "instance",
        Tags: [
          { Key: "fleetwright:launch", Value: "launch-1" },
          { Key: "fleetwright:pool", Value: "gpu" },
          { Key: "fleetwright:name", Value: "prod" },
          { Key: "fleetwright:team", Value: "vision" },
        ],
      },
    ],
  });
});

test("an on-demand launch requests the lowest price, and a launch template may be given by name", async () => {
  const { fleet, calls } = fleetOf({ CreateFleetCommand: () => ({ Instances: [given] }) });
  await fleet.launch(aLaunch({ pool: "cpu", market: "on-demand" }));
  expect(calls[0]?.input).toMatchObject({
    OnDemandOptions: { AllocationStrategy: "lowest-price" },
    TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "on-demand" },
    LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: "cpu-template", Version: "$Latest" } }],
  });
  expect(calls[0]?.input).not.toHaveProperty("SpotOptions");
});

test.each(["spot", "on-demand"] as const)("a gang's %s nodes are requested as one type in one zone, all or none", async (market) => {
  const { fleet, calls } = fleetOf({ CreateFleetCommand: () => ({ Instances: [given] }) });
  await fleet.launch(aLaunch({ count: 4, whole: true, market }));
  const whole = { SingleInstanceType: true, SingleAvailabilityZone: true, MinTargetCapacity: 4 };
  expect(calls[0]?.input).toMatchObject({
    TargetCapacitySpecification: { TotalTargetCapacity: 4, DefaultTargetCapacityType: market },
    ...(market === "spot" ? { SpotOptions: whole } : { OnDemandOptions: whole }),
  });
});

test("all of a gang's nodes are read from however many items EC2 returns", async () => {
  const Instances = [
    { ...given, InstanceIds: ["i-1", "i-2"] },
    { ...given, InstanceIds: ["i-3"] },
  ];
  const { fleet } = fleetOf({ CreateFleetCommand: () => ({ Instances }) });
  const outcome = await fleet.launch(aLaunch({ count: 4, whole: true }));
  expect(outcome).toEqual({
    kind: "launched",
    instances: ["i-1", "i-2", "i-3"].map((id) => ({ id, instanceType: "g5.xlarge", zone: "us-east-1b" })),
    refusals: [],
  });
});

const one = (id: string, Name: "running" | "terminated") => ({
  InstanceId: id,
  InstanceType: "g5.xlarge" as const,
  Placement: { AvailabilityZone: "us-east-1b" },
  State: { Name },
});
const found = (id: string, over: boolean) => ({ id, instanceType: "g5.xlarge", zone: "us-east-1b", over });

test("the search for a launch's instances reads all pages and is unknown if one fails", async () => {
  const pages = [
    { Reservations: [{ Instances: [one("i-1", "running"), one("i-2", "terminated")] }], NextToken: "more" },
    { Reservations: [{ Instances: [one("i-3", "running")] }] },
  ];
  const { fleet, calls } = fleetOf({ DescribeInstancesCommand: () => pages.shift() ?? failing("RequestLimitExceeded", 503) });
  expect(await fleet.find("launch-1")).toEqual({ kind: "read", instances: [found("i-1", false), found("i-2", true), found("i-3", false)] });
  const Filters = [{ Name: "tag:fleetwright:launch", Values: ["launch-1"] }];
  expect(calls.map(({ input }) => input)).toEqual([{ Filters }, { Filters, NextToken: "more" }]);
  expect(await fleet.find("launch-1")).toMatchObject({ kind: "unknown", message: expect.stringContaining("RequestLimitExceeded") });
  pages.push({ Reservations: [{ Instances: [one("i-1", "running")] }], NextToken: "more" });
  expect((await fleet.find("launch-1")).kind).toBe("unknown");
  const nameless = fleetOf({ DescribeInstancesCommand: () => ({ Reservations: [{ Instances: [{ InstanceId: "i-1" }] }] }) });
  expect((await nameless.fleet.find("launch-1")).kind).toBe("unknown");
});

test("a launched instance's type and zone are read from whichever place EC2 returns them", async () => {
  const launched = { kind: "launched", instances: [{ id: "i-1", instanceType: "g5.xlarge", zone: "us-east-1b" }], refusals: [] };
  const old = {
    InstanceIds: ["i-1"],
    LaunchTemplateAndOverrides: { Overrides: { InstanceType: "g5.xlarge" as const, SubnetId: "subnet-b" } },
  };
  for (const item of [given, old]) {
    expect(await fleetOf({ CreateFleetCommand: () => ({ Instances: [item], Errors: [] }) }).fleet.launch(aLaunch())).toEqual(launched);
  }
  const { fleet } = fleetOf({
    CreateFleetCommand: () => ({ Instances: [{ InstanceIds: ["i-1"] }] }),
    DescribeInstancesCommand: () => ({ Reservations: [{ Instances: [one("i-1", "running")] }] }),
  });
  expect(await fleet.launch(aLaunch())).toEqual(launched);
});

test("a launch with an instance that EC2 does not describe yet is unknown and not refused", async () => {
  const { fleet } = fleetOf({
    CreateFleetCommand: () => ({ Instances: [{ InstanceIds: ["i-1"] }] }),
    DescribeInstancesCommand: () => failing("InvalidInstanceID.NotFound", 400),
  });
  expect((await fleet.launch(aLaunch())).kind).toBe("unknown");
});

test.each<[string, number | undefined, object]>([
  ["TimeoutError", undefined, { kind: "unknown" }],
  ["ECONNRESET", undefined, { kind: "unknown" }],
  ["InternalError", 500, { kind: "unknown" }],
  ["Unavailable", 503, { kind: "unknown" }],
  ["RequestLimitExceeded", 503, { kind: "throttled" }],
  ["Throttling", 400, { kind: "throttled" }],
  // EC2 returns it with a server error's status.
  ["InsufficientInstanceCapacity", 500, { kind: "refused", refusals: [{ why: "capacity" }] }],
  ["MaxSpotInstanceCountExceeded", 400, { kind: "refused", refusals: [{ why: "limit" }] }],
  // These say nothing about an earlier request.
  ["UnauthorizedOperation", 403, { kind: "turned-away", isConflict: false, refusals: [{ why: "fault" }] }],
  ["InvalidParameterValue", 400, { kind: "turned-away", isConflict: false, refusals: [{ why: "fault" }] }],
  ["MoonInTheWrongHouse", 400, { kind: "turned-away", isConflict: false, refusals: [{ why: "fault" }] }],
  ["MoonInTheWrongHouse", 500, { kind: "unknown" }],
  ["IdempotentParameterMismatch", 400, { kind: "turned-away", isConflict: true }],
])("a launch that fails with %s (status %s) has the outcome %j", async (name, status, expected) => {
  const { fleet } = fleetOf({ CreateFleetCommand: () => failing(name, status) });
  expect(await fleet.launch(aLaunch())).toMatchObject(expected);
});

test("a response without instances and errors is a refusal", async () => {
  const { fleet } = fleetOf({ CreateFleetCommand: () => ({}) });
  expect(await fleet.launch(aLaunch())).toMatchObject({ kind: "refused", code: "NothingLaunched", refusals: [{ why: "capacity" }] });
});

test("denied calls about instances have the outcome denied", async () => {
  const { fleet } = fleetOf({
    TerminateInstancesCommand: () => failing("UnauthorizedOperation", 403),
    DescribeInstancesCommand: () => failing("UnauthorizedOperation", 403),
  });
  expect(await fleet.terminate(["i-1"])).toEqual(new Map([["i-1", "denied"]]));
  expect(await fleet.look(["i-1"])).toEqual(new Map([["i-1", "denied"]]));
});

test.each<[string, number | undefined, string, readonly string[]]>([
  ["InvalidInstanceID.NotFound", 400, "The instance IDs 'i-1, i-3' do not exist", ["accepted", "apart", "accepted"]],
  ["InvalidInstanceID.NotFound", 400, "The instance ID 'i-2' does not exist", ["apart", "accepted", "apart"]],
  ["InvalidInstanceID.NotFound", 400, "Some instance does not exist", ["apart", "apart", "apart"]],
  // One of them lacks the fleet's tag or is protected, and EC2 does not say which.
  ["UnauthorizedOperation", 403, "You are not authorized", ["apart", "apart", "apart"]],
  ["OperationNotPermitted", 400, "The instance 'i-2' may not be terminated", ["apart", "apart", "apart"]],
  ["RequestLimitExceeded", 503, "Request limit exceeded.", ["throttled", "throttled", "throttled"]],
  ["InternalError", 500, "An internal error has occurred", ["unknown", "unknown", "unknown"]],
  ["TimeoutError", undefined, "no response", ["unknown", "unknown", "unknown"]],
])(
  "terminating several instances that fails with %s (status %s, %s) has an outcome per instance",
  async (name, status, message, expected) => {
    const { fleet, calls } = fleetOf({ TerminateInstancesCommand: () => failing(name, status, message) });
    const ids = ["i-1", "i-2", "i-3"];
    expect([...(await fleet.terminate(ids))]).toEqual(ids.map((id, at) => [id, expected[at]]));
    expect(calls.map(({ input }) => input)).toEqual([{ InstanceIds: ids }]);
  },
);

test("an instance is impaired if EC2's check of it or of its host fails, and not while a check is not known", async () => {
  const statuses = [
    { InstanceId: "i-1", InstanceStatus: { Status: "impaired" }, SystemStatus: { Status: "ok" } },
    { InstanceId: "i-2", InstanceStatus: { Status: "ok" }, SystemStatus: { Status: "impaired" } },
    { InstanceId: "i-3", InstanceStatus: { Status: "initializing" }, SystemStatus: { Status: "insufficient-data" } },
    { InstanceId: "i-4", InstanceStatus: { Status: "ok" }, SystemStatus: { Status: "ok" } },
  ] as const;
  const { fleet } = fleetOf({ DescribeInstanceStatusCommand: () => ({ InstanceStatuses: [...statuses] }) });
  expect(await fleet.impaired(["i-1", "i-2", "i-3", "i-4"])).toEqual(new Set(["i-1", "i-2"]));
  const refused = fleetOf({ DescribeInstanceStatusCommand: () => failing("UnauthorizedOperation", 403) });
  expect(await refused.fleet.impaired(["i-1"])).toBeUndefined();
});

test("terminating a single instance never has the outcome apart", async () => {
  const outcomeOf = async (name: string) => {
    const { fleet } = fleetOf({ TerminateInstancesCommand: () => failing(name, 400) });
    return (await fleet.terminate(["i-1"])).get("i-1");
  };
  expect(await outcomeOf("InvalidInstanceID.NotFound")).toBe("accepted");
  expect(await outcomeOf("OperationNotPermitted")).toEqual({ refused: "OperationNotPermitted: OperationNotPermitted." });
});

test.each<["pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated", string]>([
  ["pending", "live"],
  ["running", "live"],
  ["stopping", "ending"],
  ["stopped", "stopped"],
  ["shutting-down", "ending"],
  ["terminated", "terminated"],
])("an instance in EC2's state %s is %s", async (Name, expected) => {
  const { fleet } = fleetOf({
    DescribeInstancesCommand: () => ({ Reservations: [{ Instances: [{ InstanceId: "i-1", State: { Name } }] }] }),
  });
  expect(await fleet.look(["i-1"])).toEqual(new Map([["i-1", expected]]));
});

test("an instance that EC2 does not list is absent, or unknown if there is another page", async () => {
  const Reservations = [{ Instances: [{ InstanceId: "i-1", State: { Name: "running" as const } }] }];
  const { fleet, calls } = fleetOf({ DescribeInstancesCommand: () => ({ Reservations }) });
  expect([...(await fleet.look(["i-1", "i-2"])).values()]).toEqual(["live", "absent"]);
  expect(calls.map(({ input }) => input)).toEqual([{ Filters: [{ Name: "instance-id", Values: ["i-1", "i-2"] }] }]);
  const paged = fleetOf({ DescribeInstancesCommand: () => ({ Reservations, NextToken: "more" }) });
  expect([...(await paged.fleet.look(["i-1", "i-2"])).values()]).toEqual(["live", "unknown"]);
});

const unsold = (type: string, zone: string): string =>
  `Your requested instance type (${type}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing us-east-1a.`;
const bOnly = anOffer({ zone: "us-east-1b" });

test("a type that is not sold in a zone refuses only that offer", async () => {
  const of = { LaunchTemplateAndOverrides: { Overrides: { InstanceType: "g5.xlarge" as const, SubnetId: "subnet-b" } } };
  const error = { ErrorCode: "InvalidFleetConfiguration", ErrorMessage: unsold("g5.xlarge", "us-east-1b"), ...of };
  const { fleet } = fleetOf({ CreateFleetCommand: () => ({ Errors: [error] }) });
  expect(await fleet.launch(aLaunch({ offers: [anOffer(), bOnly] }))).toMatchObject({
    kind: "refused",
    code: "InvalidFleetConfiguration",
    refusals: [{ zone: "us-east-1b", why: "capacity", code: "InvalidFleetConfiguration" }],
  });
});

test("an unsold offer that only EC2's message names is refused, whether an item or the whole call fails", async () => {
  const launch = aLaunch({ offers: [anOffer(), bOnly, anOffer({ instanceType: "g6.xlarge", zone: "us-east-1b" })] });
  const ErrorMessage = unsold("g5.xlarge", "us-east-1b");
  const item = fleetOf({ CreateFleetCommand: () => ({ Errors: [{ ErrorCode: "InvalidFleetConfiguration", ErrorMessage }] }) });
  const thrown = fleetOf({ CreateFleetCommand: () => failing("InvalidFleetConfiguration", 400, ErrorMessage) });
  for (const { fleet } of [item, thrown]) {
    const outcome = await fleet.launch(launch);
    expect(outcome).toMatchObject({ kind: "refused", refusals: [{ instanceType: "g5.xlarge", zone: "us-east-1b", why: "capacity" }] });
    expect(outcome.kind === "refused" && outcome.refusals).toHaveLength(1);
  }
});

test.each([
  ["InvalidFleetConfiguration", "The fleet configuration is not valid: a launch template is missing"],
  ["InvalidFleetConfiguration", ""],
  ["InvalidParameterCombination", "The architecture 'x86_64' of the specified instance type is not supported for the AMI in this region"],
])("a wrong configuration with the error %s (%s) is a fault of the pool", async (ErrorCode, ErrorMessage) => {
  const of = { LaunchTemplateAndOverrides: { Overrides: { InstanceType: "g5.xlarge" as const, SubnetId: "subnet-b" } } };
  const { fleet } = fleetOf({ CreateFleetCommand: () => ({ Errors: [{ ErrorCode, ErrorMessage, ...of }] }) });
  expect(await fleet.launch(aLaunch({ offers: [anOffer(), bOnly] }))).toMatchObject({ refusals: [{ why: "fault" }] });
  const whole = fleetOf({ CreateFleetCommand: () => failing(ErrorCode, 400, ErrorMessage) });
  expect((await whole.fleet.launch(aLaunch())).kind).toBe("turned-away");
});

test("of a call that succeeds, only the instances in its response count as terminated", async () => {
  const { fleet } = fleetOf({ TerminateInstancesCommand: () => ({ TerminatingInstances: [{ InstanceId: "i-2" }] }) });
  expect(await fleet.terminate(["i-1", "i-2"])).toEqual(
    new Map([
      ["i-1", "unknown"],
      ["i-2", "accepted"],
    ]),
  );
});
