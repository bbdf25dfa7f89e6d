import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { type AccountState, aSoundAccount, type FakeAccount, startFakeAccount } from "./fake-account.ts";
import { atHome, fleet } from "./fleet-program.ts";

let fake: FakeAccount;
beforeAll(async () => {
  fake = await startFakeAccount();
});
afterAll(() => fake.close());

beforeEach(() => {
  fake.state = aSoundAccount();
  atHome("/nonexistent");
  vi.stubEnv("AWS_ENDPOINT_URL", fake.url);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  return () => vi.unstubAllEnvs();
});

const Report = z.object({
  stage: z.enum(["deployed", "not-deployed", "unknown"]),
  counts: z.object({ ok: z.number(), warning: z.number(), error: z.number(), unchecked: z.number() }),
  checks: z.array(
    z.object({
      check: z.string(),
      severity: z.string(),
      findings: z.array(z.object({ code: z.string(), severity: z.string(), says: z.string(), mend: z.string().optional() })),
    }),
  ),
});

async function diagnosis() {
  const { code, out, err } = await fleet("doctor", "--aws", "--json");
  const report = Report.parse(JSON.parse(out));
  return { code, err, ...report, findings: report.checks.flatMap(({ findings }) => findings) };
}

const codesOf = (findings: readonly { readonly code: string }[]): string[] => findings.map(({ code }) => code);

test("a sound account with a sound deployment has no findings", async () => {
  const { code, stage, counts, checks } = await diagnosis();
  expect({ code, stage, counts }).toEqual({ code: 0, stage: "deployed", counts: { ok: 14, warning: 0, error: 0, unchecked: 0 } });
  expect(checks.map(({ check }) => check)).toEqual([
    "region",
    "credentials",
    "clock",
    "deployment",
    "vcpu-quotas",
    "lambda-concurrency",
    "images",
    "zones",
    "spot-role",
    "keys",
    "endpoints",
    "alarms",
    "dead-letters",
    "pool-use",
  ]);
});

type Fault = readonly [what: string, code: string, exit: number, plant: (state: AccountState) => void];

const faults: readonly Fault[] = [
  ["the deployment is in another account", "credentials.account", 1, (state) => Object.assign(state, { deployedIn: "999999999999" })],
  ["the quota of spot vCPUs is 0", "vcpu-quotas.none", 1, ({ vcpus }) => Object.assign(vcpus, { "L-3819A6DF": 0 })],
  [
    "the quota of vCPUs is less than one instance",
    "vcpu-quotas.below-one-instance",
    1,
    ({ vcpus }) => Object.assign(vcpus, { "L-DB2E81BA": 3 }),
  ],
  [
    "the quotas of vCPUs are less than the pool's limit",
    "vcpu-quotas.below-limit",
    0,
    ({ vcpus }) => Object.assign(vcpus, { "L-DB2E81BA": 16, "L-3819A6DF": 16 }),
  ],
  ["Lambda may run ten functions at a time", "lambda-concurrency.too-small", 1, (state) => Object.assign(state, { concurrency: 10 })],
  ["queues may use all of Lambda's concurrency", "lambda-concurrency.queues", 0, (state) => Object.assign(state, { concurrency: 50 })],
  ["the image does not exist", "images.missing", 1, (state) => Object.assign(state, { images: {} })],
  ["the image is for another architecture", "images.architecture", 1, (state) => Object.assign(state, { image: "ami-arm" })],
  ["the image is pinned and old", "images.old", 0, (state) => Object.assign(state, { image: "ami-old" })],
  [
    "EC2 offers the pool's types in other zones only",
    "zones.none",
    1,
    (state) => Object.assign(state, { offered: { "g5.xlarge": ["eu-west-1d"] } }),
  ],
  [
    "EC2 offers the pool's types in one zone only",
    "zones.one",
    0,
    (state) => Object.assign(state, { offered: { "g5.xlarge": ["eu-west-1a"] } }),
  ],
  ["the account has no role for spot", "spot-role.missing", 0, (state) => Object.assign(state, { roles: [] })],
  ["a team's key is about to be deleted", "keys.deletion", 1, ({ keys }) => Object.assign(keys, { "alias/k-vision": "PendingDeletion" })],
  ["a team's key is disabled", "keys.disabled", 1, ({ keys }) => Object.assign(keys, { "alias/k-vision": "Disabled" })],
  ["the function node fails", "endpoints.failed", 1, ({ status }) => Object.assign(status, { node: 502 })],
  ["this machine's clock is two minutes behind", "clock.off", 0, (state) => Object.assign(state, { aheadMs: 120_000 })],
  ["this machine's clock is ten minutes ahead", "clock.refused", 1, (state) => Object.assign(state, { aheadMs: -600_000 })],
  ["an alarm is going off", "alarms.alarm", 1, ({ alarms: [first] }) => Object.assign(first ?? {}, { StateValue: "ALARM" })],
  ["an alarm notifies no one", "alarms.no-action", 0, ({ alarms: [first] }) => Object.assign(first ?? {}, { AlarmActions: [] })],
  ["messages wait among the dead letters", "dead-letters.waiting", 0, (state) => Object.assign(state, { deadLetters: 3 })],
  ["no job has used a pool", "pool-use.unused", 0, (state) => Object.assign(state, { jobs: 0 })],
];

describe("planted faults", () => {
  test.each(faults)("if %s, the only finding is %s, with what mends it", async (_what, code, exit, plant) => {
    plant(fake.state);
    const found = await diagnosis();
    expect(codesOf(found.findings)).toEqual([code]);
    expect(found.findings[0]?.mend).toMatch(/\w+/);
    expect(found.code).toBe(exit);
  });

  test("if the API fails, what it would have said is not checked, and the rest is", async () => {
    fake.state.status.api = 502;
    const { code, checks } = await diagnosis();
    expect(code).toBe(1);
    const byCheck = Object.fromEntries(checks.map(({ check, severity }) => [check, severity]));
    expect(byCheck).toMatchObject({
      endpoints: "error",
      "vcpu-quotas": "unchecked",
      "dead-letters": "unchecked",
      keys: "ok",
      images: "ok",
    });
  });

  test("if the credentials do not work, nothing else is checked, and the clock is", async () => {
    fake.state.denied.push("sts");
    const { code, checks } = await diagnosis();
    expect(code).toBe(1);
    expect(checks.map(({ check, severity }) => `${check} ${severity}`)).toEqual([
      "region ok",
      "credentials error",
      "clock ok",
      "rest unchecked",
    ]);
  });

  test("if AWS cannot be reached, that is an error, and nothing is reported as ok but the region", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    const { code, checks } = await diagnosis();
    expect(code).toBe(1);
    expect(checks.map(({ check, severity }) => `${check} ${severity}`)).toEqual([
      "region ok",
      "credentials error",
      "clock unchecked",
      "rest unchecked",
    ]);
  });

  test("a description of the deployment that cannot be read is an error", async () => {
    fake.state.description = "{}";
    const { code, stage, findings } = await diagnosis();
    expect({ code, stage }).toEqual({ code: 1, stage: "deployed" });
    expect(codesOf(findings)).toEqual(["deployment.unreadable", "rest.unchecked"]);
  });

  test("AWS's default of a quota counts if the account has no value of its own", async () => {
    fake.state.vcpus = {};
    fake.state.defaults = { "L-DB2E81BA": 0, "L-3819A6DF": 64 };
    expect(codesOf((await diagnosis()).findings)).toEqual(["vcpu-quotas.none"]);
  });

  test("if no region is set, that is an error", async () => {
    vi.stubEnv("AWS_REGION", undefined);
    const { code, findings } = await diagnosis();
    expect(code).toBe(1);
    expect(codesOf(findings)).toEqual(["region.unset", "rest.unchecked"]);
  });

  test("a region without function URLs is an error", async () => {
    vi.stubEnv("AWS_REGION", "us-gov-west-1");
    const { code, findings } = await diagnosis();
    expect(code).toBe(1);
    expect(codesOf(findings)).toEqual(["region.unsupported"]);
  });
});

describe("what cannot be checked", () => {
  test.each([
    ["kms", "keys.unchecked", 2],
    ["iam", "spot-role.unchecked", 1],
    ["servicequotas", "vcpu-quotas.unchecked", 2],
    ["monitoring", "alarms.unchecked", 1],
  ])("a denied call of %s is reported as not checked, never as ok, and fails nothing", async (service, code, times) => {
    fake.state.denied.push(service);
    const found = await diagnosis();
    expect(codesOf(found.findings)).toEqual(Array.from({ length: times }, () => code));
    expect(found.findings[0]?.says).toMatch(/^could not check: .*not authorized/);
    expect(found.counts).toMatchObject({ error: 0, warning: 0, ok: 13 });
    expect(found.code).toBe(0);
  });
});

test("the text names each check, its findings and what mends them, and ends with the sums", async () => {
  fake.state.vcpus["L-3819A6DF"] = 0;
  const { code, out } = await fleet("doctor", "--aws");
  expect(code).toBe(1);
  expect(out).toMatch(/^ok +region$/m);
  expect(out).toMatch(/^error +vCPU quotas +pool gpu: the quota "All G and VT Spot Instance Requests" is 0 vCPUs/m);
  expect(out).toContain(
    "mend: aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-3819A6DF --desired-value 64 --region eu-west-1",
  );
  expect(out.trimEnd()).toMatch(/1 error, 0 warnings, 13 checks are ok$/);
});

test("an unknown option is wrong usage", async () => {
  const { code } = await fleet("doctor", "--fix");
  expect(code).toBe(2);
});
