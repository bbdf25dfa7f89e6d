import { DescribeInstancesCommand, ModifyInstanceAttributeCommand } from "@aws-sdk/client-ec2";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import { ec2Fleet } from "../../lib/aws/ec2/fleet.ts";
import { ec2TaggedInstances } from "../../lib/aws/ec2/tagged-instances.ts";
import { offerName } from "../../lib/model/offer.ts";
import { MemoryFleet } from "../../lib/sim/memory/fleet.ts";
import { aLaunch, anOffer } from "../fakes/builders.ts";
import { aStage, type Ec2Stage } from "./ec2-stage.ts";
import { fleetContract } from "./suites/fleet.ts";

fleetContract("in memory", async () => {
  const memory = new MemoryFleet();
  return {
    fleet: memory,
    offers: [anOffer(), anOffer({ zone: "us-east-1b", usdPerHour: 0.6 })],
    has: (offer, count) => memory.restock(offer, count),
    refuse: (offer, code) => memory.refuse(offer, code),
    loseNextLaunch: () => memory.unknownNext("launched"),
    throttleNextLaunch: () => memory.throttleNextLaunch(),
    throttleNext: (what) => memory.deafNext(what, 1, "throttled"),
    live: () => memory.live.map(({ id }) => id),
    forget: async (instance) => memory.forget(instance),
    protect: async (instance) => void memory.protected.add(instance),
  };
});

let stage: Ec2Stage;
beforeEach(async ({ task }) => {
  if (task.suite?.name !== "fleet: in memory") stage = await aStage();
});
afterEach(async ({ task }) => {
  if (task.suite?.name !== "fleet: in memory") await stage.close();
});

const fleetOn = ({ settings, template, subnets }: Ec2Stage) =>
  ec2Fleet({ ec2: ec2Client(settings), name: "prod", launchTemplates: { gpu: template }, subnets });
const offersOn = ({ subnets }: Ec2Stage) => subnets.slice(0, 2).map(({ zone }, i) => anOffer({ zone, usdPerHour: 0.5 + i / 10 }));

fleetContract("EC2", async () => ({
  fleet: fleetOn(stage),
  offers: offersOn(stage),
  has: (offer, count) => stage.front.record.limitCapacity(offerName(offer), count),
  refuse: (offer, code) => void stage.front.record.refuse(offer, code),
  loseNextLaunch: () => stage.front.record.loseNextResponse("CreateFleet"),
  throttleNextLaunch: () => stage.front.record.throttleNext("CreateFleet"),
  throttleNext: (what) => stage.front.record.throttleNext(what === "terminate" ? "TerminateInstances" : "DescribeInstances"),
  live: () =>
    stage.front.record.instances
      .filter((one) => !one.states.some(({ state }) => state === "shutting-down" || state === "terminated"))
      .map(({ id }) => id),
  forget: (instance) => stage.front.record.endInstance(instance, "vanish"),
  protect: async (instance) => {
    const command = new ModifyInstanceAttributeCommand({ InstanceId: instance, DisableApiTermination: { Value: true } });
    await ec2Client(stage.settings).send(command);
  },
}));

describe("EC2", () => {
  test("an instance has the tags by which it is found again", async () => {
    const launch = aLaunch({ offers: offersOn(stage) });
    const outcome = await fleetOn(stage).launch(launch);
    const InstanceIds = outcome.kind === "launched" ? outcome.instances.map(({ id }) => id) : [];
    const { Reservations } = await ec2Client(stage.settings).send(new DescribeInstancesCommand({ InstanceIds }));
    const [instance] = Reservations?.[0]?.Instances ?? [];
    expect(instance?.Tags).toEqual(
      expect.arrayContaining([
        { Key: "fleetwright:launch", Value: launch.id },
        { Key: "fleetwright:pool", Value: "gpu" },
        { Key: "fleetwright:name", Value: "prod" },
        { Key: "fleetwright:team", Value: "vision" },
      ]),
    );
    expect(instance?.InstanceLifecycle).toBe("spot");
  });

  test("live instances with the deployment's tag are found with launch and pool, and those of another deployment are not", async () => {
    const instances = ec2TaggedInstances({ ec2: ec2Client(stage.settings), name: "swept" });
    const named = (name: string) =>
      ec2Fleet({ ec2: ec2Client(stage.settings), name, launchTemplates: { gpu: stage.template }, subnets: stage.subnets });
    expect(await instances.list()).toEqual([]);
    const ours = await named("swept").launch(aLaunch({ id: "ours", clientToken: "swept-ours", offers: offersOn(stage) }));
    await named("other").launch(aLaunch({ id: "theirs", clientToken: "swept-theirs", offers: offersOn(stage) }));
    const [id = ""] = ours.kind === "launched" ? ours.instances.map((one) => one.id) : [];
    expect(await instances.list()).toEqual([{ id, launch: "ours", pool: "gpu", launchedAtMs: expect.any(Number), ending: false }]);
    expect(await fleetOn(stage).terminate([id])).toEqual(new Map([[id, "accepted"]]));
    await vi.waitFor(async () => expect(await instances.list()).toEqual([]), { timeout: 15_000 });
    stage.front.record.throttleNext("DescribeInstances");
    expect(await instances.list()).toBeUndefined();
  });

  test("an on-demand launch gets an on-demand instance, and a shared node has no team's tag", async () => {
    const [first] = offersOn(stage);
    const offers = [anOffer({ ...first, market: "on-demand" })];
    const outcome = await fleetOn(stage).launch(aLaunch({ market: "on-demand", team: undefined, offers }));
    const InstanceIds = outcome.kind === "launched" ? outcome.instances.map(({ id }) => id) : [];
    const { Reservations } = await ec2Client(stage.settings).send(new DescribeInstancesCommand({ InstanceIds }));
    const [instance] = Reservations?.[0]?.Instances ?? [];
    expect(instance?.InstanceLifecycle).toBeUndefined();
    expect(instance?.Tags?.map(({ Key }) => Key)).not.toContain("fleetwright:team");
  });

  test("a launch that is refused for quota by one offer and for capacity by the other counts as refused for capacity", async () => {
    const [first, second] = offersOn(stage).map((offer) => ({ ...offer, market: "on-demand" as const }));
    if (!first || !second) throw new Error("no offers");
    stage.front.record.refuse(first, "VcpuLimitExceeded");
    stage.front.record.refuse(second, "InsufficientInstanceCapacity");
    const outcome = await fleetOn(stage).launch(aLaunch({ market: "on-demand", offers: [first, second] }));
    expect(outcome).toMatchObject({ kind: "refused", code: "InsufficientInstanceCapacity" });
    expect(outcome.kind === "refused" && outcome.message).toContain("VcpuLimitExceeded");
    expect(outcome.kind === "refused" && outcome.refusals.map(({ zone, why }) => [zone, why])).toEqual([
      [first.zone, "limit"],
      [second.zone, "capacity"],
    ]);
  });

  test("a launch in a pool without a template or in a zone without a subnet is refused before EC2 is asked", async () => {
    const fleet = fleetOn(stage);
    expect(await fleet.launch(aLaunch({ pool: "other" }))).toMatchObject({
      kind: "turned-away",
      code: "NoLaunchTemplate",
      refusals: [{ why: "fault" }],
    });
    expect(await fleet.launch(aLaunch({ offers: [anOffer({ zone: "eu-west-1a" })] }))).toMatchObject({
      kind: "turned-away",
      code: "NoSubnet",
    });
    expect(stage.front.record.fleetCalls).toEqual([]);
  });

  test("a request that EC2 calls invalid is refused and not repeated", async () => {
    const subnets = stage.subnets.map(({ zone }) => ({ zone, subnet: "subnet-00000000000000000" }));
    const fleet = ec2Fleet({ ec2: ec2Client(stage.settings), name: "prod", launchTemplates: { gpu: stage.template }, subnets });
    const outcome = await fleet.launch(aLaunch({ offers: offersOn(stage) }));
    expect(outcome).toMatchObject({
      kind: "turned-away",
      code: "InvalidSubnetID.NotFound",
      refusals: [{ why: "fault" }, { why: "fault" }],
    });
  });

  test("every call to an EC2 that does not listen has the outcome unknown", async () => {
    const fleet = ec2Fleet({
      ec2: ec2Client({ ...stage.settings, endpoint: "http://127.0.0.1:9" }),
      name: "prod",
      launchTemplates: { gpu: stage.template },
      subnets: stage.subnets,
    });
    expect((await fleet.launch(aLaunch({ offers: offersOn(stage) }))).kind).toBe("unknown");
    expect([...(await fleet.terminate(["i-00000000000000001"])).values()]).toEqual(["unknown"]);
    expect([...(await fleet.look(["i-00000000000000001"])).values()]).toEqual(["unknown"]);
  });
});
