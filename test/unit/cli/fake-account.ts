import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { aJobSummary, aPoolView } from "./api-samples.ts";
import { aDeployment } from "./fake-api.ts";

/** An AWS account in a region as its APIs describe it, and the deployment in it. Tests change a sound one. */
export type AccountState = {
  account: string;
  /** The account in the ARN of the deployment's parameter. */
  deployedIn: string;
  isDeployed: boolean;
  /** The value of the deployment's parameter; undefined for a sound one. */
  description: string | undefined;
  bootstrap: string | undefined;
  vpcs: number;
  zones: string[];
  /** Quotas of vCPUs by code. */
  vcpus: Record<string, number>;
  /** AWS's defaults of quotas by code. */
  defaults: Record<string, number>;
  concurrency: number;
  /** The image in the launch template. */
  image: string;
  /** Images by id. */
  images: Record<string, { architecture: string; state: string; created: string }>;
  /** Zones by type. */
  offered: Record<string, string[]>;
  roles: string[];
  keys: Record<string, string>;
  alarms: { AlarmName: string; StateValue: string; AlarmActions: string[] }[];
  deadLetters: number;
  /** Jobs of the last days in the pool. */
  jobs: number;
  /** When the deployment last changed, seconds since the epoch. */
  changedAt: number;
  /** Status of the functions' URLs. */
  status: { api: number; node: number };
  /** How far AWS's clock is ahead of this machine's. */
  aheadMs: number;
  /** Services that deny every call, by the name in the signature. */
  denied: string[];
  /** Services that never respond. */
  silent: string[];
};

const day = 86_400;
const imageParameter = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id";
const newImage = "ami-0123456789abcdef0";

/** A sound account with a sound deployment of one pool with g5 and g4dn instances. */
export const aSoundAccount = (): AccountState => ({
  account: "123456789012",
  deployedIn: "123456789012",
  isDeployed: true,
  description: undefined,
  bootstrap: "21",
  vpcs: 2,
  zones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
  vcpus: { "L-DB2E81BA": 64, "L-3819A6DF": 64 },
  defaults: {},
  concurrency: 1_000,
  image: `resolve:ssm:${imageParameter}`,
  images: {
    [newImage]: { architecture: "x86_64", state: "available", created: "2026-01-01T00:00:00.000Z" },
    "ami-old": { architecture: "x86_64", state: "available", created: "2024-01-01T00:00:00.000Z" },
    "ami-arm": { architecture: "arm64", state: "available", created: "2026-01-01T00:00:00.000Z" },
  },
  offered: { "g5.xlarge": ["eu-west-1a", "eu-west-1b"], "g4dn.xlarge": ["eu-west-1c"] },
  roles: ["AWSServiceRoleForEC2Spot"],
  keys: { "alias/k-research": "Enabled", "alias/k-vision": "Enabled" },
  alarms: ["fleetwright-tick-errors", "fleetwright-stuck-gpu"].map((AlarmName) => ({
    AlarmName,
    StateValue: "OK",
    AlarmActions: ["arn:aws:sns:eu-west-1:123456789012:people"],
  })),
  deadLetters: 0,
  jobs: 1,
  changedAt: Date.now() / 1_000 - 60 * day,
  status: { api: 200, node: 403 },
  aheadMs: 0,
  denied: [],
  silent: [],
});

export type FakeAccount = { state: AccountState; readonly url: string; close(): Promise<void> };

/** Starts the account's APIs, in the SDK's own formats, on one port of 127.0.0.1, with the function URLs of the deployment. */
export async function startFakeAccount(): Promise<FakeAccount> {
  const fake = { state: aSoundAccount(), url: "" };
  const server = createServer((request, response) => {
    respondTo(fake, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  fake.url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return Object.assign(fake, {
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

type Reply = { readonly status?: number; readonly body: string | object };
type Call = { readonly path: string; readonly action: string; readonly form: URLSearchParams; readonly json: Record<string, string> };

async function respondTo(fake: { state: AccountState; url: string }, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { state } = fake;
  const body = await text(request);
  const path = new URL(request.url ?? "/", "http://fake").pathname;
  const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "none";
  if (state.silent.includes(service)) return;
  const target = String(request.headers["x-amz-target"] ?? "").split(".")[1];
  const form = new URLSearchParams(target === undefined ? body : "");
  const call = { path, action: target ?? form.get("Action") ?? "", form, json: target === undefined ? {} : JSON.parse(body) };
  const { status = 200, body: sent } = state.denied.includes(service) ? denied(target !== undefined) : replyTo(service, fake, call);
  response.setHeader("date", new Date(Date.now() + state.aheadMs).toUTCString());
  response.writeHead(status, { "content-type": typeof sent === "string" ? "text/xml" : "application/json" });
  response.end(typeof sent === "string" ? sent : JSON.stringify(sent));
}

const denied = (isJson: boolean): Reply => ({
  status: isJson ? 400 : 403,
  body: isJson
    ? { __type: "AccessDeniedException", message: "you are not authorized" }
    : "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>you are not authorized</Message></Error></ErrorResponse>",
});

const missing = (code: string): Reply => ({ status: 400, body: { __type: code, message: "it does not exist" } });

function replyTo(service: string, { state, url }: { state: AccountState; url: string }, call: Call): Reply {
  if (call.path.startsWith("/api/") || call.path === "/node") return functionUrl(state, call.path);
  switch (service) {
    case "sts":
      return {
        body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::${state.account}:user/ann</Arn><Account>${state.account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      };
    case "ssm":
      return parameter(state, url, call.json["Name"] ?? "");
    case "kms": {
      const KeyState = state.keys[call.json["KeyId"] ?? ""];
      return KeyState === undefined ? missing("NotFoundException") : { body: { KeyMetadata: { KeyId: "k", KeyState } } };
    }
    case "iam":
      return state.roles.includes(call.form.get("RoleName") ?? "") ? { body: role } : { status: 404, body: noRole };
    case "servicequotas":
      return quota(call.action === "GetServiceQuota" ? state.vcpus : state.defaults, call.json);
    case "monitoring":
      return {
        body: { MetricAlarms: state.alarms.filter(({ AlarmName }) => AlarmName.startsWith(call.json["AlarmNamePrefix"] ?? "")) },
      };
    case "lambda":
      return lambda(state, call.path);
    case "ec2":
      return { body: ec2(state, url, call) };
    default:
      return { status: 500, body: { message: `no service ${service}` } };
  }
}

const role =
  "<GetRoleResponse><GetRoleResult><Role><RoleName>r</RoleName><Path>/</Path><RoleId>r</RoleId><Arn>arn:aws:iam::1:role/r</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>";
const noRole =
  "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The role cannot be found.</Message></Error></ErrorResponse>";

function functionUrl(state: AccountState, path: string): Reply {
  if (path === "/node")
    return { status: state.status.node, body: state.status.node < 500 ? { title: "Only an instance" } : { Message: "no" } };
  if (state.status.api >= 400) return { status: state.status.api, body: { Message: "Internal Server Error" } };
  const idle = {
    queue: { length: 0 },
    nodes: { launching: 0, ready: 0, draining: 0, terminating: 0, gone: 0 },
    openLaunches: [],
    spent: { usdToday: 0, usdThisMonth: 0 },
  };
  switch (path) {
    case "/api/v1/pools":
      return { body: { items: [aPoolView({ families: ["g5", "g4dn"], limits: { usdPerHour: 40, gpus: 16 }, ...idle })] } };
    case "/api/v1/dead-letters":
      return { body: { items: [deadQueue(state.deadLetters)] } };
    case "/api/v1/me":
      return { body: { team: null, teams: [] } };
    default:
      return { body: { items: Array.from({ length: path.includes("research") ? state.jobs : 0 }, () => aJobSummary()) } };
  }
}

const deadQueue = (count: number) => ({
  queue: "seal",
  deadQueue: "fleetwright-dead-seal",
  function: "fleetwright-seal-artifact",
  count,
  remedy: "redrive",
  because: "uploads wait",
  letters: [],
});

function parameter(state: AccountState, url: string, name: string): Reply {
  const found = (Value: string, account: string): Reply => ({
    body: { Parameter: { Name: name, Value, ARN: `arn:aws:ssm:eu-west-1:${account}:parameter${name}`, LastModifiedDate: state.changedAt } },
  });
  if (name === imageParameter) return found(newImage, "");
  if (name.startsWith("/cdk-bootstrap/") && state.bootstrap !== undefined) return found(state.bootstrap, state.account);
  if (name.startsWith("/fleetwright/") && state.isDeployed)
    return found(state.description ?? JSON.stringify(aDeployment({ apiUrl: `${url}/api/` })), state.deployedIn);
  return missing("ParameterNotFound");
}

function quota(vcpus: Record<string, number>, { ServiceCode, QuotaCode = "" }: Record<string, string>): Reply {
  const value = ServiceCode === "vpc" ? 5 : vcpus[QuotaCode];
  return value === undefined ? missing("NoSuchResourceException") : { body: { Quota: { QuotaCode, Value: value } } };
}

function lambda({ concurrency }: AccountState, path: string): Reply {
  if (path.includes("account-settings"))
    return { body: { AccountLimit: { ConcurrentExecutions: concurrency, UnreservedConcurrentExecutions: concurrency } } };
  if (path.includes("event-source-mappings")) {
    const of = (name: string, most: number) => ({
      FunctionArn: `arn:aws:lambda:eu-west-1:123456789012:function:${name}`,
      ScalingConfig: { MaximumConcurrency: most },
    });
    return { body: { EventSourceMappings: [of("fleetwright-seal-artifact", 50), of("fleetwright-2-seal-artifact", 1_000)] } };
  }
  const Variables = {
    TABLE: "t",
    LANE_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/1/lane",
    LATER_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/1/later",
    DECISIONS_BUCKET: "d",
    SUBNETS: JSON.stringify(["a", "b", "c"].map((letter) => ({ zone: `eu-west-1${letter}`, subnet: `subnet-${letter}` }))),
    LAUNCH_TEMPLATES: JSON.stringify({ gpu: "lt-1" }),
  };
  return { body: { FunctionName: "fleetwright-place", Environment: { Variables } } };
}

function ec2(state: AccountState, url: string, { action, form }: Call): string {
  const items = (name: string, all: readonly string[]): string =>
    `<${action}Response><${name}>${all.map((one) => `<item>${one}</item>`).join("")}</${name}></${action}Response>`;
  switch (action) {
    case "DescribeInstanceTypes":
      return items(
        "instanceTypeSet",
        Object.keys(state.offered)
          .filter((name) => asked(form).some((like) => name.startsWith(like)))
          .map(typeXml),
      );
    case "DescribeInstanceTypeOfferings":
      return items(
        "instanceTypeOfferingSet",
        Object.entries(state.offered).flatMap(([type, zones]) =>
          zones.map(
            (zone) => `<instanceType>${type}</instanceType><location>${zone}</location><locationType>availability-zone</locationType>`,
          ),
        ),
      );
    case "DescribeLaunchTemplateVersions": {
      const userData = Buffer.from(`#!/bin/bash\nexport FLEETWRIGHT_NODE_URL='${url}/node'\n`).toString("base64");
      return items("launchTemplateVersionSet", [
        `<launchTemplateData><imageId>${state.image}</imageId><userData>${userData}</userData></launchTemplateData>`,
      ]);
    }
    case "DescribeImages": {
      const image = state.images[form.get("ImageId.1") ?? ""];
      if (!image) return items("imagesSet", []);
      const { architecture, state: imageState, created } = image;
      return items("imagesSet", [
        `<imageId>i</imageId><architecture>${architecture}</architecture><imageState>${imageState}</imageState><creationDate>${created}</creationDate>`,
      ]);
    }
    case "DescribeAvailabilityZones":
      return items(
        "availabilityZoneInfo",
        state.zones.map((zone) => `<zoneName>${zone}</zoneName>`),
      );
    default:
      return items(
        "vpcSet",
        Array.from({ length: state.vpcs }, (_, n) => `<vpcId>vpc-${n}</vpcId>`),
      );
  }
}

/** The families in a call's filters, such as `g5.`. */
const asked = (form: URLSearchParams): string[] =>
  [...form].flatMap(([name, value]) => (/^Filter\.\d+\.Value\.\d+$/.test(name) ? [value.replace("*", "")] : []));

const typeXml = (name: string): string =>
  [
    `<instanceType>${name}</instanceType><bareMetal>false</bareMetal>`,
    "<supportedUsageClasses><item>on-demand</item><item>spot</item></supportedUsageClasses>",
    "<processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures></processorInfo>",
    "<vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>16384</sizeInMiB></memoryInfo>",
    "<gpuInfo><gpus><item><name>A10G</name><manufacturer>NVIDIA</manufacturer><count>1</count><memoryInfo><sizeInMiB>24576</sizeInMiB></memoryInfo></item></gpus></gpuInfo>",
  ].join("");
