import { describe, expect, test } from "vitest";
import type { AlarmStanding } from "../../../lib/aws/account/standing.ts";
import { alarmFindings } from "../../../lib/cli/doctor/checks/alarms.ts";
import { bootstrapFindings } from "../../../lib/cli/doctor/checks/bootstrap.ts";
import { clockFindings } from "../../../lib/cli/doctor/checks/clock.ts";
import { configurationFindings } from "../../../lib/cli/doctor/checks/configuration.ts";
import { accountFindings, credentialsFindings } from "../../../lib/cli/doctor/checks/credentials.ts";
import { deadLetterFindings } from "../../../lib/cli/doctor/checks/dead-letters.ts";
import { endpointFindings, type UrlReply } from "../../../lib/cli/doctor/checks/endpoints.ts";
import { imageFindings, type NodeImage } from "../../../lib/cli/doctor/checks/images.ts";
import { keyFindings } from "../../../lib/cli/doctor/checks/keys.ts";
import { type ConcurrencyNeeds, concurrencyFindings } from "../../../lib/cli/doctor/checks/lambda-concurrency.ts";
import { vpcFindings } from "../../../lib/cli/doctor/checks/network.ts";
import { poolUseFindings, showsUse } from "../../../lib/cli/doctor/checks/pool-use.ts";
import { regionFindings } from "../../../lib/cli/doctor/checks/region.ts";
import { spotRoleFindings } from "../../../lib/cli/doctor/checks/spot-role.ts";
import { type PoolTypes, quotaCodesOf, vcpuQuotaFindings } from "../../../lib/cli/doctor/checks/vcpu-quotas.ts";
import { zoneCountFindings, zoneFindings } from "../../../lib/cli/doctor/checks/zones.ts";
import type { Finding, ReadFact } from "../../../lib/cli/doctor/findings/finding.ts";
import { countsOf, runChecks } from "../../../lib/cli/doctor/report.ts";
import { reportLines, summaryOf } from "../../../lib/cli/doctor/view.ts";
import { aPoolView } from "./api-samples.ts";

const region = "eu-west-1";
/** `error code`, for each finding. */
const short = (findings: readonly Finding[]): string[] => findings.map(({ severity, code }) => `${severity} ${code}`);
const awsError = (name: string): Error => Object.assign(new Error(`${name}: no`), { name });

test.each<[unknown, string[]]>([
  [{ caller: { account: "1" } }, []],
  [{ error: awsError("InvalidClientTokenId") }, ["error credentials.refused"]],
  [{ error: awsError("ExpiredToken") }, ["error credentials.refused"]],
  [{ error: awsError("CredentialsProviderError") }, ["error credentials.refused"]],
  [{ error: awsError("TimeoutError") }, ["error credentials.unreachable"]],
])("STS says %j of the credentials: %j", (who, expected) => {
  expect(short(credentialsFindings(who as { caller: unknown }))).toEqual(expected);
});

test.each([
  ["arn:aws:ssm:eu-west-1:111111111111:parameter/x", []],
  ["arn:aws:ssm:eu-west-1:222222222222:parameter/x", ["error credentials.account"]],
  ["", []],
])("credentials of account 111111111111 with a deployment at %j: %j", (arn, expected) => {
  expect(short(accountFindings("111111111111", arn))).toEqual(expected);
});

test.each([
  ["eu-west-1", []],
  [undefined, ["error region.unset"]],
  ["", ["error region.unset"]],
  ["cn-north-1", ["error region.unsupported"]],
  ["us-gov-west-1", ["error region.unsupported"]],
])("the region %j: %j", (name, expected) => {
  expect(short(regionFindings(name))).toEqual(expected);
});

describe("quotas of vCPUs", () => {
  const [spot, onDemand] = ["L-3819A6DF", "L-DB2E81BA"] as const;
  const g5 = { name: "g5.xlarge", vcpus: 4, gpus: 1, markets: ["spot", "on-demand"] } as const;
  const large = { name: "g5.48xlarge", vcpus: 192, gpus: 8, markets: ["spot", "on-demand"] } as const;
  const p5 = { name: "p5.48xlarge", vcpus: 192, gpus: 8, markets: ["spot", "on-demand"] } as const;
  const cpu = { name: "m7i.large", vcpus: 2, gpus: 0, markets: ["on-demand"] } as const;
  const pool = (over: Partial<PoolTypes> = {}): PoolTypes => ({
    pool: "gpu",
    markets: ["spot", "on-demand"],
    gpuLimit: 16,
    types: [g5, large],
    ...over,
  });
  const find = (of: PoolTypes, quotas: Readonly<Record<string, number | string>>) => {
    const facts = Object.entries(quotas).map(([code, value]): [string, ReadFact<number>] => [
      code,
      typeof value === "number" ? { value } : { unknown: value },
    ]);
    return vcpuQuotaFindings([of], { vcpus: new Map(facts), region });
  };

  test.each<[string, PoolTypes, Readonly<Record<string, number | string>>, string[]]>([
    ["both quotas allow the limit together", pool(), { [spot]: 32, [onDemand]: 32 }, []],
    ["one quota is 0", pool(), { [spot]: 0, [onDemand]: 64 }, ["error vcpu-quotas.none"]],
    ["both quotas are 0", pool(), { [spot]: 0, [onDemand]: 0 }, ["error vcpu-quotas.none", "error vcpu-quotas.none"]],
    ["a market that the pool does not use has none", pool({ markets: ["on-demand"] }), { [spot]: 0, [onDemand]: 64 }, []],
    ["it is less than the smallest instance", pool({ markets: ["spot"] }), { [spot]: 3 }, ["error vcpu-quotas.below-one-instance"]],
    ["it is one instance exactly", pool({ markets: ["spot"], gpuLimit: 1 }), { [spot]: 4 }, []],
    ["it is one GPU short", pool({ markets: ["spot"] }), { [spot]: 63 }, ["warning vcpu-quotas.below-limit"]],
    ["it cannot be read", pool({ markets: ["spot"] }), { [spot]: "denied" }, ["unchecked vcpu-quotas.unchecked"]],
    [
      "AWS's list has no code",
      pool({ markets: ["spot"], types: [{ ...p5, name: "p6-b200.48xlarge" }] }),
      {},
      ["unchecked vcpu-quotas.unchecked"],
    ],
    ["P5 has a spot quota of its own", pool({ markets: ["spot"], types: [p5], gpuLimit: 8 }), { "L-C4BD4855": 192 }, []],
    ["the pool has no GPUs", pool({ markets: ["on-demand"], types: [cpu], gpuLimit: 0 }), { "L-1216C47A": 5 }, []],
  ])("%s", (_why, of, quotas, expected) => {
    expect(short(find(of, quotas))).toEqual(expected);
  });

  test("the finding asks for as many vCPUs as the pool's limit needs", () => {
    expect(find(pool({ markets: ["spot"] }), { [spot]: 0 })[0]?.mend).toContain(
      `--quota-code ${spot} --desired-value 64 --region ${region}`,
    );
  });

  test("each quota is asked for once", () => {
    expect(quotaCodesOf([pool(), pool({ types: [g5, p5] })])).toEqual([spot, onDemand, "L-C4BD4855", "L-417A185B"]);
  });
});

describe("Lambda's concurrency", () => {
  const needs = (over: Partial<ConcurrencyNeeds> & { concurrent?: number; unreserved?: number }): ConcurrencyNeeds => ({
    account: { concurrent: over.concurrent ?? 1_000, unreserved: over.unreserved ?? over.concurrent ?? 1_000 },
    functions: 12,
    toReserve: 0,
    byQueues: 75,
    region,
    ...over,
  });
  test.each([
    [needs({}), []],
    [needs({ concurrent: 10 }), ["error lambda-concurrency.too-small"]],
    [needs({ concurrent: 75 }), ["warning lambda-concurrency.queues"]],
    [needs({ concurrent: 76 }), []],
    [needs({ toReserve: 900 }), []],
    [needs({ toReserve: 901 }), ["error lambda-concurrency.reservation"]],
    [needs({ unreserved: 70 }), ["warning lambda-concurrency.queues"]],
  ])("%j: %j", (of, expected) => {
    expect(short(concurrencyFindings(of))).toEqual(expected);
  });
});

test.each([
  [4, []],
  [5, ["error network.vpcs"]],
])("%d VPCs of at most 5: %j", (count, expected) => {
  expect(short(vpcFindings({ count, quota: 5, region }))).toEqual(expected);
});

test.each([
  [undefined, ["error bootstrap.missing"]],
  ["5", ["error bootstrap.old"]],
  ["6", []],
  ["unreadable", ["error bootstrap.old"]],
])("a bootstrap stack of version %j: %j", (version, expected) => {
  expect(short(bootstrapFindings(version, { account: "1", region }))).toEqual(expected);
});

test.each([
  ["fleetwright", []],
  ["staging", ["warning configuration.name"]],
])("the configuration of fleetwright, where %s was looked for: %j", (sought, expected) => {
  expect(short(configurationFindings("fleetwright", sought))).toEqual(expected);
});

describe("machine images", () => {
  const nowMs = Date.UTC(2026, 5, 1);
  const image = { id: "ami-1", architecture: "x86_64", state: "available", createdAtMs: nowMs - 91 * 86_400_000 };
  const pinned: NodeImage = { pools: ["gpu"], parameter: undefined, image };
  test.each<[string, NodeImage, string[]]>([
    ["pinned and 91 days old", pinned, ["warning images.old"]],
    ["pinned and 90 days old", { ...pinned, image: { ...image, createdAtMs: nowMs - 90 * 86_400_000 } }, []],
    ["old, but the newest of the parameter", { ...pinned, parameter: "/p" }, []],
    ["old, where nodes boot from no image", { ...pinned, isAgeless: true }, []],
    ["of another architecture", { ...pinned, image: { ...image, architecture: "arm64" } }, ["error images.architecture"]],
    ["failed", { ...pinned, image: { ...image, state: "failed" } }, ["error images.state"]],
    ["not there", { ...pinned, image: undefined }, ["error images.missing"]],
    ["not there, by a parameter", { ...pinned, parameter: "/p", image: undefined }, ["error images.missing"]],
  ])("an image that is %s", (_what, of, expected) => {
    expect(short(imageFindings(of, { architecture: "x86_64", nowMs, region }))).toEqual(expected);
  });
});

describe("zones", () => {
  const pools = [{ pool: "gpu", types: ["g5.xlarge", "g6.xlarge"] }];
  test.each([
    [["g5.xlarge/a", "g6.xlarge/b"], []],
    [["g5.xlarge/a", "g6.xlarge/a"], ["warning zones.one"]],
    [["g5.xlarge/elsewhere"], ["error zones.none"]],
  ])("EC2 offers %j: %j", (offered, expected) => {
    expect(short(zoneFindings(pools, { zones: ["a", "b"], offered: new Set(offered) }))).toEqual(expected);
  });
  test("a pool without any type in the region is an error", () => {
    expect(short(zoneFindings([{ pool: "gpu", types: [] }], { zones: ["a"], offered: new Set() }))).toEqual(["error zones.no-types"]);
  });
  test.each([
    [["a", "b", "c"], []],
    [["a", "b"], ["error zones.too-few"]],
  ])("the configuration takes 3 of the zones %j: %j", (zones, expected) => {
    expect(short(zoneCountFindings(zones, 3))).toEqual(expected);
  });
});

test.each([
  [["spot"], false, ["warning spot-role.missing"]],
  [["spot"], true, []],
  [["on-demand"], false, []],
] as const)("pools of the markets %j, and the spot role exists: %j", (markets, exists, expected) => {
  expect(short(spotRoleFindings([{ markets }], exists))).toEqual(expected);
});

test.each<[ReadFact<string | undefined>, string[]]>([
  [{ value: "Enabled" }, []],
  [{ value: "Disabled" }, ["error keys.disabled"]],
  [{ value: "PendingDeletion" }, ["error keys.deletion"]],
  [{ value: undefined }, ["error keys.missing"]],
  [{ unknown: "denied" }, ["unchecked keys.unchecked"]],
])("a team's key is %j: %j", (state, expected) => {
  expect(short(keyFindings([{ team: "vision", alias: "alias/k-vision", state }], region))).toEqual(expected);
});

test.each<[UrlReply, string[]]>([
  [{ kind: "responded", status: 200, spoke: true }, []],
  [{ kind: "responded", status: 403, spoke: true }, []],
  [{ kind: "responded", status: 403, spoke: false }, ["unchecked endpoints.unchecked"]],
  [{ kind: "responded", status: 404, spoke: false }, ["error endpoints.failed"]],
  [{ kind: "responded", status: 502, spoke: false }, ["error endpoints.failed"]],
  [{ kind: "responded", status: 500, spoke: true }, ["error endpoints.failed"]],
  [{ kind: "silent", why: "connection refused" }, ["error endpoints.silent"]],
])("a function URL is %j: %j", (reply, expected) => {
  expect(short(endpointFindings({ name: "fleetwright-node", url: "https://x/", reply }))).toEqual(expected);
});

test.each([
  [0, []],
  [60_000, []],
  [-60_001, ["warning clock.off"]],
  [300_000, ["warning clock.off"]],
  [300_001, ["error clock.refused"]],
  [-300_001, ["error clock.refused"]],
])("this machine's clock is %d ms ahead of AWS's: %j", (aheadMs, expected) => {
  expect(short(clockFindings({ hereMs: 1_000_000 + aheadMs, awsMs: 1_000_000 }))).toEqual(expected);
});

test("clocks that no response compared are not checked", () => {
  expect(short(clockFindings(undefined))).toEqual(["unchecked clock.unchecked"]);
});

describe("alarms", () => {
  const alarm = (over: Partial<AlarmStanding> = {}): AlarmStanding => ({
    name: "f-tick-errors",
    state: "OK",
    why: "",
    actions: ["topic"],
    ...over,
  });
  test.each<[string, readonly AlarmStanding[], string[]]>([
    ["sound", [alarm()], []],
    ["going off", [alarm({ state: "ALARM" })], ["error alarms.alarm"]],
    ["silent", [alarm({ actions: [] }), alarm({ name: "f-stuck-gpu" })], ["warning alarms.no-action"]],
    ["missing", [], ["error alarms.missing"]],
    ["of another deployment whose name begins alike", [alarm(), alarm({ name: "f-2-tick-errors", state: "ALARM", actions: [] })], []],
    ["a pool's bell, which rings while there is work", [alarm(), alarm({ name: "f/gpu-low/gpu", state: "ALARM", actions: [] })], []],
  ])("alarms that are %s", (_what, alarms, expected) => {
    expect(short(alarmFindings({ fleet: "f", functions: ["tick"], alarms }))).toEqual(expected);
  });
  test("actions are not judged where they have no effect", () => {
    expect(alarmFindings({ fleet: "f", functions: ["tick"], alarms: [alarm({ actions: [] })], areActionsIdle: true })).toEqual([]);
  });
});

test.each([
  ["redrive", 2, "fleet redrive seal"],
  ["delete", 1, "fleet redrive seal --delete"],
] as const)("dead letters whose remedy is %s are a warning that names the command", (remedy, count, command) => {
  const [finding, ...more] = deadLetterFindings([{ queue: "seal", deadQueue: "f-dead-seal", count, remedy }]);
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ code: "dead-letters.waiting", severity: "warning" });
  expect(finding?.mend).toContain(command);
});

test("queues without dead letters have no findings", () => {
  expect(deadLetterFindings([{ queue: "seal", deadQueue: "f-dead-seal", count: 0, remedy: "redrive" }])).toEqual([]);
});

describe("pools in use", () => {
  const idle = aPoolView({
    queue: { length: 0 },
    nodes: { launching: 0, ready: 0, draining: 0, terminating: 0, gone: 0 },
    openLaunches: [],
    spent: { usdToday: 0, usdThisMonth: 0 },
  });
  test.each([
    ["nothing at all", idle, false],
    ["a waiting job", { ...idle, queue: { length: 1 } }, true],
    ["a node", { ...idle, nodes: { ...idle.nodes, ready: 1 } }, true],
    ["costs in this month", { ...idle, spent: { usdToday: 0, usdThisMonth: 1 } }, true],
  ])("a pool with %s shows use: %s", (_what, view, expected) => {
    expect(showsUse(view)).toBe(expected);
  });
  test("a pool without jobs is a warning", () => {
    const pools = [
      { pool: "gpu", hadJobs: true },
      { pool: "old", hadJobs: false },
    ];
    expect(short(poolUseFindings(pools))).toEqual(["warning pool-use.unused"]);
  });
});

test("the lines of a report name what mends a finding, and the summary counts what could not be checked", () => {
  const reports = [
    { check: "a", title: "first", severity: "ok", findings: [] },
    {
      check: "b",
      title: "second check",
      severity: "error",
      findings: [
        { code: "b.x", severity: "error", says: "it is broken", mend: "mend it" },
        { code: "b.unchecked", severity: "unchecked", says: "could not check: denied" },
      ],
    },
  ] as const;
  expect(reportLines(reports, (_colour, text) => text)).toEqual([
    "ok         first",
    "error      second check  it is broken",
    "                         mend: mend it",
    "unchecked  second check  could not check: denied",
  ]);
  expect(summaryOf(reports)).toBe("1 error, 0 warnings, 1 could not be checked, 1 check is ok");
});

describe("the run of checks", () => {
  const sound = async (): Promise<readonly Finding[]> => [];
  test("a check that throws, or takes too long, is reported as not made, and the others go on", async () => {
    const never = new Promise<never>(() => undefined);
    const reports = await runChecks(
      [
        { check: "a", title: "A", find: () => Promise.reject(awsError("AccessDenied")) },
        { check: "b", title: "B", find: () => never },
        { check: "c", title: "C", find: sound },
      ],
      20,
    );
    expect(reports.map(({ check, severity }) => `${check} ${severity}`)).toEqual(["a unchecked", "b unchecked", "c ok"]);
    expect(reports[1]?.findings[0]?.says).toContain("it took longer than 0.02 s");
    expect(countsOf(reports)).toEqual({ ok: 1, warning: 0, unchecked: 2, error: 0 });
  });

  test("a few checks run at a time, and all do", async () => {
    let running = 0;
    let most = 0;
    const find = async (): Promise<readonly Finding[]> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return [];
    };
    const reports = await runChecks(Array.from({ length: 20 }, (_, n) => ({ check: `${n}`, title: `${n}`, find })));
    expect(reports).toHaveLength(20);
    expect(most).toBe(4);
  });
});
