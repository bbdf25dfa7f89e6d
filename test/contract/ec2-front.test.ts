import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  type CreateFleetCommandOutput,
  CreateLaunchTemplateCommand,
  DescribeInstancesCommand,
  DescribeSpotPriceHistoryCommand,
  DescribeSubnetsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { GetProductsCommand, PricingClient } from "@aws-sdk/client-pricing";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import * as z from "zod";
import type { Ec2Behaviour } from "../../lib/local/ec2/behaviour.ts";
import { createEc2Front, type Ec2Front } from "../../lib/local/ec2/front.ts";
import type { HttpAnswer, HttpCall } from "../../lib/local/http.ts";
import type { Identities } from "../../lib/local/identities.ts";
import { served } from "./served.ts";

/** The worker's place is taken by this: it notes what it was given, starts a child that leaves its group, and waits. */
const standIn = `
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
const imds = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
const bare = await fetch(imds + "/latest/meta-data/instance-id");
const token = await (await fetch(imds + "/latest/api/token", { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" } })).text();
const read = async (path) => { const r = await fetch(imds + "/latest/" + path, { headers: { "x-aws-ec2-metadata-token": token } }); return r.ok ? r.text() : r.status; };
const role = await read("meta-data/iam/security-credentials/");
const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
writeFileSync("seen.json", JSON.stringify({
  env: process.env, withoutToken: bare.status, pid: process.pid, child: child.pid, role,
  instance: await read("meta-data/instance-id"), zone: await read("meta-data/placement/availability-zone"),
  credentials: JSON.parse(await read("meta-data/iam/security-credentials/" + role)), spot: await read("meta-data/spot/instance-action"),
  identity: JSON.parse(await read("dynamic/instance-identity/document")), tag: await read("meta-data/tags/instance/fleetwright:launch"),
}));
console.log("the stand-in is up");
setInterval(() => { if (existsSync("finish")) process.exit(0); }, 20);
`;

type StateEvent = { readonly instance: string; readonly state: string };
const EventOf = z.discriminatedUnion("detailType", [
  z.object({
    detailType: z.literal("EC2 Instance State-change Notification"),
    detail: z.strictObject({ "instance-id": z.string(), state: z.string() }),
  }),
  z.object({
    detailType: z.literal("EC2 Spot Instance Interruption Warning"),
    detail: z.strictObject({ "instance-id": z.string(), "instance-action": z.literal("terminate") }),
  }),
  z.object({
    detailType: z.literal("EC2 Instance Rebalance Recommendation"),
    detail: z.strictObject({ "instance-id": z.string() }),
  }),
]);
type Cloud = {
  readonly front: Ec2Front;
  readonly ec2: EC2Client;
  readonly pricing: PricingClient;
  readonly events: StateEvent[];
  readonly bootCalls: { readonly authorization: string; readonly token: string; readonly body: string }[];
  launch(change?: Partial<CreateFleetCommandInput>): CreateFleetCommandInput;
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

let subnets: { zone: string; subnet: string }[] = [];
beforeAll(async () => {
  const moto = new EC2Client({
    region: "us-east-1",
    endpoint: inject("motoUrl"),
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const { Subnets = [] } = await moto.send(new DescribeSubnetsCommand({}));
  subnets = Subnets.map((one) => ({ zone: one.AvailabilityZone ?? "", subnet: one.SubnetId ?? "" })).sort((a, b) =>
    a.zone < b.zone ? -1 : 1,
  );
  moto.destroy();
});
afterAll(() => expect(closing).toEqual([]));

async function listen(answer: (call: HttpCall) => Promise<HttpAnswer>): Promise<string> {
  const server = await served(answer);
  closing.push(() => server.close());
  return server.url;
}

const identities: Identities = {
  issue: ({ role, session }) => ({
    accessKeyId: `ASIA-${role}`,
    secretAccessKey: "secret",
    sessionToken: session,
    expiresAtMs: Date.now() + 3_600_000,
  }),
  find: () => undefined,
};

async function aCloud(behaviour: Partial<Ec2Behaviour> = {}, script = standIn): Promise<Cloud> {
  const stateFolder = await mkdtemp(join(tmpdir(), "ec2-front-"));
  closing.push(() => rm(stateFolder, { recursive: true, force: true }));
  const events: StateEvent[] = [];
  const bootCalls: Cloud["bootCalls"][number][] = [];
  const nodeUrl: string = await listen(async (call) => {
    if (call.method === "GET") return { status: 200, headers: {}, body: script };
    bootCalls.push({
      authorization: call.headers["authorization"] ?? "",
      token: call.headers["x-amz-security-token"] ?? "",
      body: call.body.toString(),
    });
    if (bootCalls.length === 1) return { status: 500, headers: {}, body: "not yet" };
    const orders =
      bootCalls.length === 2
        ? { kind: "wait", callAgainMs: 10 }
        : { kind: "boot", workerUrl: `${nodeUrl}/worker.mjs`, nodeUrl: `${nodeUrl}/node` };
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(orders) };
  });
  const front = await createEc2Front({
    motoUrl: inject("motoUrl"),
    identities,
    endpoint: "http://127.0.0.1:9",
    stateFolder,
    roleOfProfile: (profile) => `role-of-${profile.split("/").at(-1)}`,
    putEvent: async (event) => {
      expect(event.source).toBe("aws.ec2");
      const { detailType, detail } = EventOf.parse(event);
      expect(event.resources).toEqual([expect.stringMatching(new RegExp(`^arn:aws:ec2:.*:instance/${detail["instance-id"]}$`))]);
      events.push({ instance: detail["instance-id"], state: "state" in detail ? detail.state : detailType });
    },
    log: () => undefined,
    behaviour: { pendingMs: 5, bootMs: { min: 5, max: 10 }, shutdownMs: 500, ...behaviour },
  });
  closing.push(() => front.close());
  const endpoint = await listen((call) => ("x-amz-target" in call.headers ? front.handlePricing(call) : front.handle(call)));
  const client = { region: "us-east-1", endpoint, credentials: { accessKeyId: "test", secretAccessKey: "test" }, maxAttempts: 1 };
  const ec2 = new EC2Client(client);
  const pricing = new PricingClient(client);
  closing.push(async () => ec2.destroy());
  closing.push(async () => pricing.destroy());
  const template = `t-${Math.random().toString(36).slice(2)}`;
  const userData = `#!/bin/bash\nset -eu\nexport FLEETWRIGHT_NODE_URL='${nodeUrl}/'\nexport FLEETWRIGHT_POOL='it'\\''s'\nexport AWS_REGION='us-east-1'\nexec boot\n`;
  const { LaunchTemplate } = await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: template,
      LaunchTemplateData: {
        ImageId: "resolve:ssm:/an/image",
        UserData: Buffer.from(userData).toString("base64"),
        IamInstanceProfile: { Arn: "arn:aws:iam::123456789012:instance-profile/nodes" },
        TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "from", Value: "template" }] }],
      },
    }),
  );
  return {
    front,
    ec2,
    pricing,
    events,
    bootCalls,
    launch: (change = {}) => ({
      Type: "instant",
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId: LaunchTemplate?.LaunchTemplateId, Version: "$Latest" },
          Overrides: ["g5.2xlarge", "g5.xlarge"].flatMap((InstanceType) =>
            subnets.slice(0, 2).map(({ subnet }) => ({ InstanceType: InstanceType as "g5.xlarge", SubnetId: subnet })),
          ),
        },
      ],
      TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: "on-demand" },
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "fleetwright:launch", Value: "l-1 <&>" }] }],
      ...change,
    }),
  };
}

const spot = (total: number): Partial<CreateFleetCommandInput> => ({
  TargetCapacitySpecification: { TotalTargetCapacity: total, DefaultTargetCapacityType: "spot" },
  SpotOptions: { AllocationStrategy: "price-capacity-optimized" },
});
/** For what happens by itself; generous, for the machine may be busy. */
const soon = { timeout: 15_000 };
const idsOf = (made: CreateFleetCommandOutput): string[] => (made.Instances ?? []).flatMap((one) => one.InstanceIds ?? []);
const statesOf = (cloud: Cloud, id: string | undefined): string[] =>
  cloud.events.filter((one) => one.instance === id).map((one) => one.state);
const isAlive = (pid: number): boolean => {
  try {
    // One that nobody has buried yet is not alive.
    return process.kill(pid, 0) && !(existsSync(`/proc/${pid}/stat`) && /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  } catch {
    return false;
  }
};

describe("CreateFleet", () => {
  it("launches the cheapest on-demand offer, tagged, in its zone", async () => {
    const { ec2, launch, front } = await aCloud();
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

  it("launches spot where it is cheapest, and says that it is spot", async () => {
    const { ec2, launch } = await aCloud();
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

  it("answers a repeated token from memory, also while the first call is under way, and refuses it for anything else", async () => {
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

  it("launches what a client never heard of when the answer is lost, and tells it when it asks again", async () => {
    const { ec2, launch, front } = await aCloud();
    front.record.loseNextAnswer("CreateFleet");
    const order = launch({ ClientToken: "lost" });
    await expect(ec2.send(new CreateFleetCommand(order))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(front.record.instances).toHaveLength(1);
    expect(idsOf(await ec2.send(new CreateFleetCommand(order)))).toEqual(front.record.instances.map((one) => one.id));
    front.record.throttleNext("CreateFleet");
    await expect(ec2.send(new CreateFleetCommand(launch()))).rejects.toMatchObject({ name: "RequestLimitExceeded" });
    expect(front.record.instances).toHaveLength(1);
  });

  it("gives what there is, goes on to the next offer, and names the offers that were short", async () => {
    const [a, b] = subnets;
    const { ec2, launch, front } = await aCloud({
      capacity: { [`g5.xlarge/${a?.zone}/on-demand`]: 1, "g5.xlarge/*/on-demand": 1, "g5.2xlarge/*/*": 0 },
    });
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

  it("never gives the last instance twice", async () => {
    const { ec2, launch, front } = await aCloud({ capacity: { "*/*/spot": 1 } });
    await Promise.all(Array.from({ length: 6 }, () => ec2.send(new CreateFleetCommand(launch(spot(1))))));
    expect(front.record.instances).toHaveLength(4);
    expect(front.record.fleetCalls.filter((call) => call.outcome.kind === "answered" && call.outcome.instances.length === 0)).toHaveLength(
      2,
    );
  });

  it("launches nothing below the minimum, all of one kind", async () => {
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

  it("launches a whole fleet of one type in one zone or nothing, on demand too, and once for each token", async () => {
    const [a, b] = subnets;
    const { ec2, launch, front } = await aCloud({
      capacity: { "g5.xlarge/*/*": 2, [`g5.2xlarge/${a?.zone}/*`]: 1, [`g5.2xlarge/${b?.zone}/*`]: 3 },
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
    expect(made.Instances).toMatchObject([{ InstanceType: "g5.2xlarge", AvailabilityZone: b?.zone, Lifecycle: "on-demand" }]);
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

  it("refuses offers on demand, unknown types and parameters it does not know", async () => {
    const { ec2, launch, front } = await aCloud();
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

describe("instances", () => {
  it("boot as their template says, work, and end with everything that they run", { timeout: 60_000 }, async () => {
    const cloud = await aCloud();
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1)))));
    const instance = cloud.front.record.instances[0];
    const seenFile = join(instance?.folder ?? "", "seen.json");
    const seen = await vi.waitFor(async () => JSON.parse(await readFile(seenFile, "utf8")), soon);

    expect(cloud.bootCalls).toHaveLength(3);
    expect(cloud.bootCalls[2]).toMatchObject({ token: id, body: JSON.stringify({ protocol: 1, kind: "boot", pool: "it's" }) });
    expect(cloud.bootCalls[2]?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=ASIA-role-of-nodes\/\d{8}\/us-east-1\/lambda\/aws4_request/,
    );
    expect(seen).toMatchObject({
      withoutToken: 401,
      instance: id,
      zone: instance?.zone,
      role: "role-of-nodes",
      credentials: { AccessKeyId: "ASIA-role-of-nodes", Token: id, Code: "Success" },
      spot: 404,
      identity: { instanceId: id, region: "us-east-1", instanceType: instance?.instanceType },
      tag: "l-1 <&>",
    });
    expect(Object.keys(seen.env).sort()).toEqual([
      "AWS_CONFIG_FILE",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT",
      "AWS_ENDPOINT_URL",
      "AWS_REGION",
      "AWS_SHARED_CREDENTIALS_FILE",
      "FLEETWRIGHT_FOLDER",
      "FLEETWRIGHT_NODE_URL",
      "FLEETWRIGHT_POOL",
      "HOME",
      "PATH",
    ]);
    expect(instance?.workerPid).toBe(seen.pid);
    expect(isAlive(seen.child)).toBe(true);

    const ended = await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(ended.TerminatingInstances).toMatchObject([
      { InstanceId: id, CurrentState: { Name: "shutting-down", Code: 32 }, PreviousState: { Name: "running", Code: 16 } },
    ]);
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", "shutting-down", "terminated"]), soon);
    expect([isAlive(seen.pid), isAlive(seen.child)]).toEqual([false, false]);
    expect(await readFile(join(instance?.folder ?? "", "worker.log"), "utf8")).toBe("the stand-in is up\n");
    await expect(readFile(seenFile)).rejects.toMatchObject({ code: "ENOENT" });
    expect(cloud.front.record.remaining()).toEqual([]);

    const again = await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(again.TerminatingInstances).toMatchObject([{ CurrentState: { Name: "terminated" }, PreviousState: { Name: "terminated" } }]);
    expect(statesOf(cloud, id)).toHaveLength(4);
  });

  it("terminate when their worker ends well, start a crashed one again, and live on without one", { timeout: 60_000 }, async () => {
    const cloud = await aCloud({ restartMs: 20 });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    const instance = cloud.front.record.instances[0];
    const pid = async (not?: number) =>
      vi.waitFor(() => {
        expect(instance?.workerPid).toBeDefined();
        expect(instance?.workerPid).not.toBe(not);
        return instance?.workerPid ?? 0;
      }, soon);
    const first = await pid();
    await cloud.front.record.pauseWorker(id);
    await cloud.front.record.crashWorker(id);
    expect(isAlive(await pid(first))).toBe(true);
    await writeFile(join(instance?.folder ?? "", "finish"), "");
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", "shutting-down", "terminated"]), soon);
    expect(instance?.states.at(-1)?.because).toBe("its worker ended");

    const [other = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    await vi.waitFor(() => expect(cloud.front.record.instances[1]?.workerPid).toBeDefined(), soon);
    await cloud.front.record.killWorker(other);
    await vi.waitFor(() => expect(cloud.front.record.instances[1]?.workerPid).toBeUndefined(), soon);
    expect(statesOf(cloud, other)).toEqual(["pending", "running"]);
    await cloud.front.record.endInstance(other, "vanish");
    expect(statesOf(cloud, other)).toEqual(["pending", "running"]);
    await expect(cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [other] }))).rejects.toMatchObject({
      name: "InvalidInstanceID.NotFound",
    });
    await expect(cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [other] }))).rejects.toMatchObject({
      name: "InvalidInstanceID.NotFound",
    });
  });

  const named = async (cloud: Cloud, id: string, ...states: string[]) => {
    const Filters = [
      { Name: "instance-state-name", Values: states },
      { Name: "tag:fleetwright:launch", Values: ["l-1*"] },
    ];
    const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap((one) => one.Instances ?? []).find((one) => one.InstanceId === id)?.State?.Name;
  };

  it("are not to be seen for a while", async () => {
    const cloud = await aCloud({ describeLagMs: 60_000 });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    const notFound = { name: "InvalidInstanceID.NotFound" };
    await expect(cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject(notFound);
    await expect(cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject(notFound);
    expect(await named(cloud, id, "pending", "running")).toBeUndefined();
    expect(cloud.front.record.remaining().map((one) => one.id)).toEqual([id]);
  });

  it("are pending first, in moto's filters too", async () => {
    const cloud = await aCloud({ pendingMs: 60_000, describeLagMs: 50 });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    await vi.waitFor(async () => expect(await named(cloud, id, "pending")).toBe("pending"), soon);
    expect(await named(cloud, id, "running")).toBeUndefined();
    const other = await aCloud();
    const [second = ""] = idsOf(await other.ec2.send(new CreateFleetCommand(other.launch())));
    await vi.waitFor(async () => expect(await named(other, second, "running")).toBe("running"), soon);
  });

  it("are interrupted with a warning, a notice in their metadata, and an end that says why", { timeout: 60_000 }, async () => {
    const told = `
import { writeFileSync } from "node:fs";
const imds = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
const token = await (await fetch(imds + "/latest/api/token", { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" } })).text();
const read = async (path) => { const r = await fetch(imds + "/latest/meta-data/" + path, { headers: { "x-aws-ec2-metadata-token": token } }); return r.ok ? r.json() : r.status; };
const before = [await read("spot/instance-action"), await read("events/recommendations/rebalance")];
setInterval(async () => {
  const seen = [await read("spot/instance-action"), await read("events/recommendations/rebalance")];
  writeFileSync("seen.json.part", JSON.stringify({ before, seen }));
  (await import("node:fs")).renameSync("seen.json.part", "seen.json");
}, 20);`;
    const cloud = await aCloud({ interruptionNoticeMs: 3_600_000 }, told);
    const { record } = cloud.front;
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1)))));
    const file = join(record.instances[0]?.folder ?? "", "seen.json");
    const seen = async () => JSON.parse(await readFile(file, "utf8"));
    await vi.waitFor(async () => expect(await seen()).toEqual({ before: [404, 404], seen: [404, 404] }), soon);

    record.recommendRebalance(id);
    record.recommendRebalance(id);
    await vi.waitFor(
      async () => expect(await seen()).toMatchObject({ seen: [404, { noticeTime: expect.stringMatching(/^20.*Z$/) }] }),
      soon,
    );
    const endsAtMs = record.interrupt(id);
    expect(endsAtMs).toBeGreaterThan(Date.now() + 3_500_000);
    expect(record.interrupt(id, { noticeMs: 1 })).toBe(endsAtMs);
    const time = `${new Date(endsAtMs).toISOString().slice(0, 19)}Z`;
    await vi.waitFor(async () => expect(await seen()).toMatchObject({ seen: [{ action: "terminate", time }, {}] }), soon);
    const warnings = ["EC2 Instance Rebalance Recommendation", "EC2 Spot Instance Interruption Warning"];
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", ...warnings]), soon);
    const { Reservations: before } = await cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    expect(before?.[0]?.Instances?.[0]).toMatchObject({ State: { Name: "running" } });

    const [other = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1)))));
    record.interrupt(other, { noticeMs: 30 });
    await vi.waitFor(() => expect(statesOf(cloud, other).slice(-2)).toEqual(["shutting-down", "terminated"]), soon);
    expect(statesOf(cloud, other).filter((one) => one === warnings[1])).toHaveLength(1);
    const { Reservations } = await cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [other] }));
    expect(Reservations?.[0]?.Instances?.[0]).toMatchObject({
      State: { Name: "terminated" },
      StateReason: { Code: "Server.SpotInstanceTermination" },
    });
    expect(() => record.interrupt(other)).toThrow(expect.objectContaining({ code: "not-running" }));
  });

  it("cannot be interrupted when they are on-demand or not there", async () => {
    const cloud = await aCloud();
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    for (const notify of [cloud.front.record.interrupt, cloud.front.record.recommendRebalance]) {
      expect(() => notify(id)).toThrow(expect.objectContaining({ code: "not-spot" }));
      expect(() => notify("i-0")).toThrow(expect.objectContaining({ code: "no-instance" }));
    }
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running"]), soon);
  });

  it("end in order though they were never running, and start by RunInstances, too", async () => {
    const cloud = await aCloud({ pendingMs: 60_000 });
    const run = { MinCount: 1, MaxCount: 1, InstanceType: "m7i.large" as const, ImageId: "ami-1", ClientToken: "by-hand" };
    const { Instances = [] } = await cloud.ec2.send(new RunInstancesCommand(run));
    const again = await cloud.ec2.send(new RunInstancesCommand(run));
    const id = Instances[0]?.InstanceId ?? "";
    expect(again.Instances?.[0]?.InstanceId).toBe(id);
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "shutting-down", "terminated"]), soon);
  });
});

describe("prices", () => {
  it("lists on-demand prices in the price list's shape", async () => {
    const { pricing } = await aCloud();
    const match = (Field: string, Value: string) => ({ Type: "TERM_MATCH" as const, Field, Value });
    const filters = [
      match("regionCode", "us-east-1"),
      match("operatingSystem", "Linux"),
      match("tenancy", "Shared"),
      match("preInstalledSw", "NA"),
      match("capacitystatus", "Used"),
    ];
    const { PriceList = [] } = await pricing.send(
      new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters: [...filters, match("instanceType", "g5.xlarge")] }),
    );
    expect(PriceList).toHaveLength(1);
    const product = JSON.parse(String(PriceList[0]));
    const [term] = Object.values<{ priceDimensions: Record<string, { unit: string; pricePerUnit: { USD: string } }> }>(
      product.terms.OnDemand,
    );
    const [dimension] = Object.values(term?.priceDimensions ?? {});
    expect(dimension).toMatchObject({ unit: "Hrs", pricePerUnit: { USD: "1.0060000000" } });
    const none = await pricing.send(
      new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters: [match("instanceType", "u-24tb1.metal")] }),
    );
    expect(none.PriceList).toEqual([]);

    const pages = [];
    let NextToken: string | undefined;
    do {
      const page = await pricing.send(
        new GetProductsCommand({
          ServiceCode: "AmazonEC2",
          Filters: filters,
          MaxResults: 30,
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      );
      pages.push(page.PriceList?.length);
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(pages).toEqual([30, 30, 7]);
  });

  it("tells spot prices in pages, the same ones every time, far below on-demand", async () => {
    const { ec2 } = await aCloud();
    const ask = async (NextToken?: string) =>
      ec2.send(
        new DescribeSpotPriceHistoryCommand({
          ProductDescriptions: ["Linux/UNIX"],
          InstanceTypes: ["g5.xlarge"],
          AvailabilityZone: "us-east-1a",
          StartTime: new Date(Date.now() - 48 * 3_600_000),
          MaxResults: 5,
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      );
    const first = await ask();
    const second = await ask(first.NextToken);
    const all = [...(first.SpotPriceHistory ?? []), ...(second.SpotPriceHistory ?? [])];
    expect(all).toHaveLength(7);
    expect(second.NextToken ?? "").toBe("");
    const times = all.map((one) => one.Timestamp?.getTime() ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    for (const one of all) {
      expect(Number(one.SpotPrice)).toBeGreaterThan(1.006 * 0.24);
      expect(Number(one.SpotPrice)).toBeLessThan(1.006 * 0.46);
    }
    expect(await ask()).toMatchObject({ SpotPriceHistory: first.SpotPriceHistory });
    const windows = await ec2.send(new DescribeSpotPriceHistoryCommand({ ProductDescriptions: ["Windows"], InstanceTypes: ["g5.xlarge"] }));
    expect(windows.SpotPriceHistory).toEqual([]);
  });
});
