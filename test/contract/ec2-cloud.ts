/** The local cloud's EC2 and its price list, new for each test, with a stand-in for the worker on its instances. */
import { existsSync, readFileSync } from "node:fs";
import { type CreateFleetCommandInput, type CreateFleetCommandOutput, EC2Client } from "@aws-sdk/client-ec2";
import { PricingClient } from "@aws-sdk/client-pricing";
import { afterAll, afterEach, expect } from "vitest";
import * as z from "zod";
import type { Ec2Behaviour } from "../../lib/local/ec2/behaviour/behaviour.ts";
import type { Ec2Front } from "../../lib/local/ec2/front.ts";
import type { Identities } from "../../lib/local/requests/identities.ts";
import { aStage, type Ec2Stage } from "./ec2-stage.ts";
import { served } from "./served.ts";

/** A stand-in for the worker: it writes down its environment, starts a child that leaves its process group, and waits. */
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
export type Cloud = {
  readonly front: Ec2Front;
  readonly ec2: EC2Client;
  readonly pricing: PricingClient;
  readonly subnets: Ec2Stage["subnets"];
  readonly events: StateEvent[];
  readonly bootCalls: { readonly authorization: string; readonly token: string; readonly body: string }[];
  launch(change?: Partial<CreateFleetCommandInput>): CreateFleetCommandInput;
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(() => expect(closing).toEqual([]));

const identities: Identities = {
  issue: ({ role, session }) => ({
    accessKeyId: `ASIA-${role}`,
    secretAccessKey: "secret",
    sessionToken: session,
    expiresAtMs: Date.now() + 3_600_000,
  }),
  adopt: () => undefined,
  find: () => undefined,
};

/** Opens the stage of the contract suites with workers on its instances. It is closed after the test. */
export async function aCloud(behaviour: Partial<Ec2Behaviour> = {}, script = standIn): Promise<Cloud> {
  const events: StateEvent[] = [];
  const bootCalls: Cloud["bootCalls"][number][] = [];
  const node = await served(async (call) => {
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
        : { kind: "boot", workerUrl: `${node.url}/worker.mjs`, nodeUrl: `${node.url}/node` };
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(orders) };
  });
  closing.push(() => node.close());
  const { front, settings, subnets, template, close } = await aStage({
    identities,
    roleOfProfile: (profile) => `role-of-${profile.split("/").at(-1)}`,
    putEvent: async (event) => {
      expect(event.source).toBe("aws.ec2");
      const { detailType, detail } = EventOf.parse(event);
      expect(event.resources).toEqual([expect.stringMatching(new RegExp(`^arn:aws:ec2:.*:instance/${detail["instance-id"]}$`))]);
      events.push({ instance: detail["instance-id"], state: "state" in detail ? detail.state : detailType });
    },
    behaviour: { pendingMs: 5, bootMs: { min: 5, max: 10 }, shutdownMs: 500, ...behaviour },
    userData: `#!/bin/bash\nset -eu\nexport FLEETWRIGHT_NODE_URL='${node.url}/'\nexport FLEETWRIGHT_POOL='it'\\''s'\nexport AWS_REGION='us-east-1'\nexec boot\n`,
    tags: [{ ResourceType: "instance", Tags: [{ Key: "from", Value: "template" }] }],
  });
  closing.push(close);
  const client = {
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    endpoint: settings.endpoint ?? "",
  };
  const ec2 = new EC2Client(client);
  const pricing = new PricingClient(client);
  closing.push(async () => ec2.destroy());
  closing.push(async () => pricing.destroy());
  return {
    front,
    ec2,
    pricing,
    subnets,
    events,
    bootCalls,
    launch: (change = {}) => ({
      Type: "instant",
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId: template, Version: "$Latest" },
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

export const spot = (total: number): Partial<CreateFleetCommandInput> => ({
  TargetCapacitySpecification: { TotalTargetCapacity: total, DefaultTargetCapacityType: "spot" },
  SpotOptions: { AllocationStrategy: "price-capacity-optimized" },
});
/** How long to wait for an effect. It is generous, because the machine may be busy. */
export const soon = { timeout: 15_000 };
export const idsOf = (made: CreateFleetCommandOutput): string[] => (made.Instances ?? []).flatMap((one) => one.InstanceIds ?? []);
export const statesOf = (cloud: Cloud, id: string | undefined): string[] =>
  cloud.events.filter((one) => one.instance === id).map((one) => one.state);
export const isAlive = (pid: number): boolean => {
  try {
    // A zombie process is not alive.
    return process.kill(pid, 0) && !(existsSync(`/proc/${pid}/stat`) && /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  } catch {
    return false;
  }
};
