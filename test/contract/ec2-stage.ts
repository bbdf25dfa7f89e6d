import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateLaunchTemplateCommand, DescribeSubnetsCommand, type EC2Client, type RequestLaunchTemplateData } from "@aws-sdk/client-ec2";
import { inject } from "vitest";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import type { ClientSettings } from "../../lib/aws/clients/settings.ts";
import type { ZoneSubnet } from "../../lib/aws/ec2/fleet-request.ts";
import type { Ec2Behaviour } from "../../lib/local/ec2/behaviour/behaviour.ts";
import { createEc2Front, type Ec2Front, type Ec2FrontOptions } from "../../lib/local/ec2/front.ts";
import { expectLine } from "../fakes/log-lines.ts";
import { served } from "./served.ts";
import { unique, wire } from "./wire.ts";

/** The local cloud's EC2 and price list on a separate port. By default, nothing ever boots on its instances. */
export type Ec2Stage = {
  readonly front: Ec2Front;
  /** Settings of a client that does not retry, so that the caller sees what the stage does to a call. */
  readonly settings: ClientSettings;
  readonly template: string;
  readonly subnets: readonly ZoneSubnet[];
  /** Errors inside this EC2, for the message of a test that fails. */
  readonly troubles: readonly string[];
  close(): Promise<void>;
};

export type Ec2StageOptions = Partial<Pick<Ec2FrontOptions, "identities" | "putEvent" | "roleOfProfile">> & {
  /** Changes the behaviour of an EC2 where nothing boots. */
  readonly behaviour?: Partial<Ec2Behaviour>;
  /** The script that instances run. */
  readonly userData?: string;
  /** The tags of the launch template. */
  readonly tags?: RequestLaunchTemplateData["TagSpecifications"];
};

const noIdentities: Ec2FrontOptions["identities"] = {
  issue: () => ({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c", expiresAtMs: 0 }),
  adopt: () => undefined,
  find: () => undefined,
};
const idle =
  "#!/bin/bash\nexport FLEETWRIGHT_NODE_URL='http://127.0.0.1:9/'\nexport FLEETWRIGHT_POOL='gpu'\nexport AWS_REGION='us-east-1'\n";

/** Opens a stage. Close it after the test. */
export async function aStage(options: Ec2StageOptions = {}): Promise<Ec2Stage> {
  const stateFolder = await mkdtemp(join(tmpdir(), "fleet-contract-"));
  const troubles: string[] = [];
  const front = await createEc2Front({
    motoUrl: inject("motoUrl"),
    identities: options.identities ?? noIdentities,
    putEvent: options.putEvent ?? (async () => undefined),
    endpoint: "http://127.0.0.1:9",
    stateFolder,
    roleOfProfile: options.roleOfProfile ?? ((profile) => profile),
    log: (line) => {
      expectLine(line);
      if ("error" in line) troubles.push(JSON.stringify(line));
    },
    behaviour: { pendingMs: 1, bootMs: { min: 3_600_000, max: 3_600_000 }, shutdownMs: 10, ...options.behaviour },
  });
  const server = await served((call) => ("x-amz-target" in call.headers ? front.handlePricing(call) : front.handle(call)));
  const settings = { ...wire(server.url), maxAttempts: 1 };
  const ec2 = ec2Client(settings);
  return {
    front,
    settings,
    template: await launchTemplate(ec2, options),
    subnets: await defaultSubnets(ec2),
    troubles,
    async close() {
      await server.close();
      await front.close();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}

async function launchTemplate(ec2: EC2Client, { userData = idle, tags }: Ec2StageOptions): Promise<string> {
  const { LaunchTemplate } = await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: unique("fleetwright"),
      LaunchTemplateData: {
        MetadataOptions: { InstanceMetadataTags: "enabled" },
        ImageId: "resolve:ssm:/an/image",
        UserData: Buffer.from(userData).toString("base64"),
        IamInstanceProfile: { Arn: "arn:aws:iam::123456789012:instance-profile/nodes" },
        TagSpecifications: tags,
      },
    }),
  );
  return LaunchTemplate?.LaunchTemplateId ?? "";
}

async function defaultSubnets(ec2: EC2Client): Promise<ZoneSubnet[]> {
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: "default-for-az", Values: ["true"] }] }));
  return (Subnets ?? [])
    .map((one) => ({ zone: one.AvailabilityZone ?? "", subnet: one.SubnetId ?? "" }))
    .toSorted((a, b) => (a.zone < b.zone ? -1 : 1));
}
