import { CreateFleetCommand, DescribeInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { describe, expect, it, vi } from "vitest";
import { aCloud, type Cloud, idsOf, soon, spot, statesOf } from "./ec2-cloud.ts";

const fleets = async (cloud: Cloud, count: number): Promise<{ launched: number; errors: string[] }> => {
  const all = await Promise.allSettled(Array.from({ length: count }, () => cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1))))));
  return {
    launched: all.filter(({ status }) => status === "fulfilled").length,
    errors: all.flatMap((one) => (one.status === "rejected" ? [String(one.reason.name)] : [])),
  };
};

describe("requests to the local EC2", () => {
  it("requests are throttled by a bucket per action, and a refused request does nothing and takes nothing", async () => {
    const cloud = await aCloud({ requests: { CreateFleet: { burst: 3, perSecond: 0.001 } } });
    const { launched, errors } = await fleets(cloud, 5);
    expect([launched, errors]).toEqual([3, ["RequestLimitExceeded", "RequestLimitExceeded"]]);
    expect(cloud.front.record.instances).toHaveLength(3);
    expect(cloud.front.record.refusedRequests.get("CreateFleet")).toBe(2);
    const { Reservations } = await cloud.ec2.send(
      new DescribeInstancesCommand({ InstanceIds: [cloud.front.record.instances[0]?.id ?? ""] }),
    );
    expect(Reservations).toHaveLength(1);

    cloud.front.record.limitRequests("CreateFleet", undefined);
    expect((await fleets(cloud, 3)).launched).toBe(3);
  });

  it("requests are allowed again as the bucket fills, and every action has a bucket if all are limited", async () => {
    const cloud = await aCloud({ requests: { "*": { burst: 1, perSecond: 2 } } });
    await expect(Promise.all([1, 2].map(() => cloud.ec2.send(new CreateFleetCommand(cloud.launch()))))).rejects.toMatchObject({
      name: "RequestLimitExceeded",
      $metadata: { httpStatusCode: 503 },
    });
    await vi.waitFor(async () => expect((await fleets(cloud, 1)).launched).toBe(1), soon);
  });

  it("a request may take effect although its response is late or lost, and its token then shows the result", async () => {
    const cloud = await aCloud();
    const { record } = cloud.front;
    const order = cloud.launch({ ClientToken: "cut", ...spot(1) });
    record.loseNextResponse("CreateFleet", 1, "cut");
    const lost = await cloud.ec2.send(new CreateFleetCommand(order)).catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    expect(record.instances).toHaveLength(1);

    record.delayNextResponse("CreateFleet", 300);
    const beganMs = Date.now();
    const late = cloud.ec2.send(new CreateFleetCommand(cloud.launch({ ClientToken: "late", ...spot(1) })));
    await vi.waitFor(() => expect(record.instances).toHaveLength(2), soon);
    await late;
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(295);
    expect(idsOf(await cloud.ec2.send(new CreateFleetCommand(order)))).toEqual([record.instances[0]?.id]);
    expect(record.instances).toHaveLength(2);
  });

  it("a request with a token whose instances have ended returns those instances and launches nothing", async () => {
    const cloud = await aCloud();
    const order = cloud.launch({ ClientToken: "over" });
    const ids = idsOf(await cloud.ec2.send(new CreateFleetCommand(order)));
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: ids }));
    await vi.waitFor(() => expect(cloud.front.record.remaining()).toEqual([]), soon);
    expect(idsOf(await cloud.ec2.send(new CreateFleetCommand(order)))).toEqual(ids);
    expect(cloud.front.record.remaining()).toEqual([]);
  });

  it("a request to end several instances ends none and names the unknown one if EC2 does not know one of them", async () => {
    const cloud = await aCloud();
    const ids = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(2)))));
    const stranger = "i-0123456789abcdef0";
    await expect(cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [...ids, stranger] }))).rejects.toMatchObject({
      name: "InvalidInstanceID.NotFound",
      message: expect.stringContaining(stranger),
    });
    expect(cloud.front.record.remaining().map(({ id }) => id)).toEqual(ids);
  });
});

describe("capacity of the local EC2 over time", () => {
  it("capacity follows its script, and the newest spot instances are taken back if there are too many", { timeout: 60_000 }, async () => {
    const cloud = await aCloud({ interruptionNoticeMs: 20 });
    const { record } = cloud.front;
    record.limitCapacity("*/*/*", 0);
    expect((await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1))))).Errors?.[0]?.ErrorCode).toBe("UnfulfillableCapacity");
    record.limitCapacity("*/*/*", [[0, 2]]);
    const one = { SingleInstanceType: true, SingleAvailabilityZone: true };
    const made = await cloud.ec2.send(new CreateFleetCommand(cloud.launch({ ...spot(2), SpotOptions: one })));
    const [oldest, newest] = record.instances.map(({ id }) => id);
    expect(idsOf(made)).toHaveLength(2);
    record.limitCapacity("*/*/*", [
      [0, 2],
      [100, 1],
    ]);
    await vi.waitFor(() => expect(record.remaining().map(({ id }) => id)).toEqual([oldest]), soon);
    expect(statesOf(cloud, newest)).toEqual(expect.arrayContaining(["EC2 Spot Instance Interruption Warning", "terminated"]));
    expect(statesOf(cloud, oldest)).not.toContain("EC2 Spot Instance Interruption Warning");
  });
});

describe("visibility of instances in the local EC2", () => {
  it("events about an instance arrive late and in order", async () => {
    const cloud = await aCloud({ eventDelayMs: { min: 150, max: 300 } });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    await vi.waitFor(() => expect(cloud.front.record.instances[0]?.states.at(-1)?.state).toBe("running"), soon);
    expect(statesOf(cloud, id)).toEqual([]);
    await cloud.front.record.endInstance(id);
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", "shutting-down", "terminated"]), soon);
  });

  it("each launched instance becomes visible to Describe after a different time", async () => {
    const cloud = await aCloud({ describeLagMs: { min: 0, max: 60_000 } });
    const ids = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(8)))));
    const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: "instance-id", Values: ids }] }));
    const seen = Reservations.flatMap((one) => one.Instances ?? []);
    expect(ids).toHaveLength(8);
    expect(seen.length).toBeLessThan(8);
  });
});
