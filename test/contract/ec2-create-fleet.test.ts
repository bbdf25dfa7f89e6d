import { CreateFleetCommand, DescribeInstancesCommand, DescribeSpotPriceHistoryCommand } from "@aws-sdk/client-ec2";
import { describe, expect, it } from "vitest";
import { aCloud, idsOf, spot } from "./ec2-cloud.ts";

describe("CreateFleet", () => {
  it("CreateFleet launches the cheapest on-demand offer, tagged, in its zone", async () => {
    const { ec2, launch, front, subnets } = await aCloud();
    const made = await ec2.send(new CreateFleetCommand(launch({ ClientToken: "a-token" })));
    expect(made.FleetId).toMatch(/^fleet-/);
    expect(made.Errors).toEqual([]);
    expect(made.Instances).toMatchObject([
      {
        InstanceType: "g5.xlarge",
        Lifecycle: "on-demand",
        LaunchTemplateAndOverrides: {
          LaunchTemplateSpecification: { Version: "1" },
          Overrides: { InstanceType: "g5.xlarge", SubnetId: subnets[0]?.subnet },
        },
        AvailabilityZone: subnets[0]?.zone,
        SubnetId: subnets[0]?.subnet,
      },
    ]);
    const [id = ""] = idsOf(made);
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    const instance = Reservations?.[0]?.Instances?.[0];
    expect(instance).toMatchObject({
      InstanceType: "g5.xlarge",
      SubnetId: subnets[0]?.subnet,
      Placement: { AvailabilityZone: subnets[0]?.zone },
    });
    expect(instance?.InstanceLifecycle).toBeUndefined();
    expect(instance?.Tags).toEqual(
      expect.arrayContaining([
        { Key: "fleetwright:launch", Value: "l-1 <&>" },
        { Key: "from", Value: "template" },
        { Key: "aws:ec2:fleet-id", Value: made.FleetId },
      ]),
    );
    expect(front.record.fleetCalls).toMatchObject([
      {
        clientToken: "a-token",
        replayed: false,
        tags: { "fleetwright:launch": "l-1 <&>" },
        outcome: { kind: "answered", instances: [id], errors: [] },
      },
    ]);
  });

  it("CreateFleet launches spot capacity where it is cheapest, and marks it as spot", async () => {
    const { ec2, launch, subnets } = await aCloud();
    const made = await ec2.send(new CreateFleetCommand(launch(spot(1))));
    const prices = await ec2.send(
      new DescribeSpotPriceHistoryCommand({
        InstanceTypes: ["g5.xlarge", "g5.2xlarge"],
        ProductDescriptions: ["Linux/UNIX"],
        StartTime: new Date(),
        Filters: [{ Name: "availability-zone", Values: subnets.slice(0, 2).map((one) => one.zone) }],
      }),
    );
    const cheapest = prices.SpotPriceHistory?.toSorted((a, b) => Number(a.SpotPrice) - Number(b.SpotPrice))[0];
    expect(prices.SpotPriceHistory).toHaveLength(4);
    expect(made.Instances?.[0]).toMatchObject({
      Lifecycle: "spot",
      InstanceType: cheapest?.InstanceType,
      AvailabilityZone: cheapest?.AvailabilityZone,
    });
    const { Reservations } = await ec2.send(
      new DescribeInstancesCommand({ InstanceIds: idsOf(made), Filters: [{ Name: "instance-lifecycle", Values: ["spot"] }] }),
    );
    expect(Reservations?.[0]?.Instances?.[0]?.InstanceLifecycle).toBe("spot");
  });

  it("CreateFleet returns the first result for a repeated token, even during the first call, and refuses the token for another request", async () => {
    const { ec2, launch, front } = await aCloud();
    const order = new CreateFleetCommand(launch({ ClientToken: "once" }));
    const [first, second] = await Promise.all([ec2.send(order), ec2.send(new CreateFleetCommand(launch({ ClientToken: "once" })))]);
    const third = await ec2.send(new CreateFleetCommand(launch({ ClientToken: "once" })));
    expect([second.FleetId, third.FleetId]).toEqual([first.FleetId, first.FleetId]);
    expect([idsOf(second), idsOf(third)]).toEqual([idsOf(first), idsOf(first)]);
    await expect(ec2.send(new CreateFleetCommand(launch({ ClientToken: "once", ...spot(1) })))).rejects.toMatchObject({
      name: "IdempotentParameterMismatch",
    });
    expect(front.record.instances).toHaveLength(1);
    expect(front.record.fleetCalls.map((call) => call.replayed)).toEqual([false, true, true, false]);
  });

  it("CreateFleet launches an instance although its response is lost, and a repeated call returns it", async () => {
    const { ec2, launch, front } = await aCloud();
    front.record.loseNextResponse("CreateFleet");
    const order = launch({ ClientToken: "lost" });
    await expect(ec2.send(new CreateFleetCommand(order))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(front.record.instances).toHaveLength(1);
    expect(idsOf(await ec2.send(new CreateFleetCommand(order)))).toEqual(front.record.instances.map((one) => one.id));
    front.record.throttleNext("CreateFleet");
    await expect(ec2.send(new CreateFleetCommand(launch()))).rejects.toMatchObject({ name: "RequestLimitExceeded" });
    expect(front.record.instances).toHaveLength(1);
  });

  it("CreateFleet launches what is available, continues with the next offer, and names the offers that gave too little", async () => {
    const { ec2, launch, front, subnets } = await aCloud({
      capacity: { "g5.xlarge/us-east-1a/on-demand": 1, "g5.xlarge/*/on-demand": 1, "g5.2xlarge/*/*": 0 },
    });
    const [a, b] = subnets;
    const partial = await ec2.send(
      new CreateFleetCommand(launch({ TargetCapacitySpecification: { TotalTargetCapacity: 3, DefaultTargetCapacityType: "on-demand" } })),
    );
    expect(idsOf(partial)).toHaveLength(2);
    expect(new Set(partial.Errors?.map((one) => one.ErrorCode))).toEqual(new Set(["InsufficientInstanceCapacity"]));
    expect(partial.Errors?.map((one) => one.LaunchTemplateAndOverrides?.Overrides?.SubnetId).toSorted()).toEqual(
      [a, a, b, b].map((one) => one?.subnet).toSorted(),
    );

    const none = await ec2.send(new CreateFleetCommand(launch()));
    expect(none.Instances).toEqual([]);
    expect(none.Errors).toHaveLength(4);

    await front.record.endInstance(idsOf(partial)[0] ?? "");
    expect(idsOf(await ec2.send(new CreateFleetCommand(launch())))).toHaveLength(1);
  });

  it("CreateFleet never gives the last instance to two calls", async () => {
    const { ec2, launch, front } = await aCloud({ capacity: { "*/*/spot": 1 } });
    await Promise.all(Array.from({ length: 6 }, () => ec2.send(new CreateFleetCommand(launch(spot(1))))));
    expect(front.record.instances).toHaveLength(4);
    expect(front.record.fleetCalls.filter((call) => call.outcome.kind === "answered" && call.outcome.instances.length === 0)).toHaveLength(
      2,
    );
  });

  it("CreateFleet launches nothing if the minimum of one kind is not available", async () => {
    const { ec2, launch } = await aCloud({ capacity: { "g5.xlarge/*/spot": 1, "g5.2xlarge/*/spot": 2 } });
    const gang = (total: number) => ({
      ...spot(total),
      SpotOptions: { SingleInstanceType: true, SingleAvailabilityZone: true, MinTargetCapacity: total },
    });
    const refused = await ec2.send(new CreateFleetCommand(launch(gang(3))));
    expect(refused.Instances).toEqual([]);
    expect(new Set(refused.Errors?.map((one) => one.ErrorCode))).toEqual(new Set(["InsufficientInstanceCapacity"]));
    const made = await ec2.send(new CreateFleetCommand(launch(gang(2))));
    expect(made.Instances).toMatchObject([{ InstanceType: "g5.2xlarge" }]);
    expect(idsOf(made)).toHaveLength(2);
  });

  it("CreateFleet launches a whole fleet of one type in one zone or nothing, on demand too, and once per token", async () => {
    const { ec2, launch, front } = await aCloud({
      capacity: { "g5.xlarge/*/*": 2, "g5.2xlarge/us-east-1a/*": 1, "g5.2xlarge/us-east-1b/*": 3 },
    });
    const whole = (total: number, ClientToken: string) =>
      launch({
        ClientToken,
        TargetCapacitySpecification: { TotalTargetCapacity: total, DefaultTargetCapacityType: "on-demand" },
        OnDemandOptions: { SingleInstanceType: true, SingleAvailabilityZone: true, MinTargetCapacity: total },
      });
    const none = await ec2.send(new CreateFleetCommand(whole(4, "four")));
    expect([none.Instances, front.record.instances]).toEqual([[], []]);
    expect(new Set(none.Errors?.map((one) => one.ErrorCode))).toEqual(new Set(["InsufficientInstanceCapacity"]));

    const made = await ec2.send(new CreateFleetCommand(whole(3, "three")));
    expect(made.Instances).toMatchObject([{ InstanceType: "g5.2xlarge", AvailabilityZone: "us-east-1b", Lifecycle: "on-demand" }]);
    expect(idsOf(made)).toHaveLength(3);
    const again = await ec2.send(new CreateFleetCommand(whole(3, "three")));
    expect([again.FleetId, idsOf(again)]).toEqual([made.FleetId, idsOf(made)]);
    expect(front.record.instances).toHaveLength(3);

    const partial = await ec2.send(
      new CreateFleetCommand(
        launch({
          TargetCapacitySpecification: { TotalTargetCapacity: 3, DefaultTargetCapacityType: "on-demand" },
          OnDemandOptions: { SingleInstanceType: true, SingleAvailabilityZone: true },
        }),
      ),
    );
    expect(partial.Instances).toMatchObject([{ InstanceType: "g5.xlarge" }]);
    expect(idsOf(partial)).toHaveLength(2);
  });

  it("CreateFleet refuses offers for which a refusal is set, unknown types and unknown parameters", async () => {
    const { ec2, launch, front, subnets } = await aCloud();
    const lift = front.record.refuse({ instanceType: "g5.xlarge" }, "MaxSpotInstanceCountExceeded");
    const made = await ec2.send(new CreateFleetCommand(launch()));
    expect(made.Instances?.[0]?.InstanceType).toBe("g5.2xlarge");
    expect(made.Errors?.map((one) => one.ErrorCode)).toEqual(["MaxSpotInstanceCountExceeded", "MaxSpotInstanceCountExceeded"]);
    lift();
    expect((await ec2.send(new CreateFleetCommand(launch()))).Instances?.[0]?.InstanceType).toBe("g5.xlarge");

    const [config] = launch().LaunchTemplateConfigs ?? [];
    const unknown = { ...config, Overrides: [{ InstanceType: "g99.xlarge" as "g5.xlarge", SubnetId: subnets[0]?.subnet }] };
    await expect(ec2.send(new CreateFleetCommand(launch({ LaunchTemplateConfigs: [unknown] })))).rejects.toMatchObject({
      name: "InvalidParameterValue",
    });
    await expect(ec2.send(new CreateFleetCommand(launch({ Type: "maintain" })))).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(ec2.send(new CreateFleetCommand(launch({ Context: "x" })))).rejects.toMatchObject({ name: "InvalidParameterValue" });
  });
});
