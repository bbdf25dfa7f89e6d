import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { functionNames } from "../../lib/cli/doctor/needs.ts";
import { plan } from "../../lib/cli/doctor/planned.ts";
import { type AccountState, aSoundAccount, type FakeAccount, startFakeAccount } from "../unit/cli/fake-account.ts";
import { fleet } from "../unit/cli/fleet-program.ts";

let fake: FakeAccount;
beforeAll(async () => {
  fake = await startFakeAccount();
});
afterAll(() => fake.close());

beforeEach(() => {
  // The default configuration also names g6, which the account's region need not have.
  fake.state = { ...aSoundAccount(), isDeployed: false };
  const environment = {
    AWS_ENDPOINT_URL: fake.url,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    FLEETWRIGHT_NAME: "fleetwright",
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.stubEnv("AWS_PROFILE", undefined);
  return () => vi.unstubAllEnvs();
});

const Report = z.object({
  stage: z.enum(["not-deployed", "unknown"]),
  checks: z.array(z.object({ check: z.string(), findings: z.array(z.object({ code: z.string(), mend: z.string().optional() })) })),
});

async function diagnosis(...options: string[]) {
  const { code, out } = await fleet("doctor", "--aws", "--json", ...options);
  const { stage, checks } = Report.parse(JSON.parse(out));
  return { code, stage, checks: checks.map(({ check }) => check), findings: checks.flatMap(({ findings }) => findings) };
}

test("before the first deployment, a sound account has no findings, and only what needs no deployment is checked", async () => {
  const { code, stage, checks, findings } = await diagnosis();
  expect({ code, stage, findings }).toEqual({ code: 0, stage: "not-deployed", findings: [] });
  expect(checks).toEqual([
    "region",
    "credentials",
    "clock",
    "configuration",
    "bootstrap",
    "network",
    "zone-count",
    "vcpu-quotas",
    "lambda-concurrency",
    "images",
    "zones",
    "spot-role",
  ]);
});

test("the text says that there is no deployment yet", async () => {
  const { out, err } = await fleet("doctor", "--aws");
  expect(err).toContain("there is no deployment fleetwright yet");
  expect(out).toContain("0 errors, 0 warnings, 12 checks are ok");
});

test.each<[string, (state: AccountState) => void]>([
  ["bootstrap.missing", (state) => Object.assign(state, { bootstrap: undefined })],
  ["network.vpcs", (state) => Object.assign(state, { vpcs: 5 })],
  ["zones.too-few", ({ zones }) => zones.splice(2)],
  ["vcpu-quotas.none", ({ vcpus }) => Object.assign(vcpus, { "L-DB2E81BA": 0 })],
  ["lambda-concurrency.too-small", (state) => Object.assign(state, { concurrency: 10 })],
  ["images.missing", (state) => Object.assign(state, { images: {} })],
])("before the first deployment, the fault %s is found, and named with what mends it", async (code, plant) => {
  plant(fake.state);
  const found = await diagnosis();
  expect(found.findings).toEqual([{ code, mend: expect.stringMatching(/./) }]);
  expect(found.code).toBe(1);
});

test("a configuration that cannot be synthesized is an error, and what depends on it is not checked", async () => {
  const { code, findings } = await diagnosis("--config", "/nonexistent/fleet.config.json");
  expect(code).toBe(1);
  expect(findings.map(({ code: each }) => each)).toEqual([
    "configuration.unusable",
    "zone-count.unchecked",
    "vcpu-quotas.unchecked",
    "lambda-concurrency.unchecked",
    "images.unchecked",
    "zones.unchecked",
    "spot-role.unchecked",
  ]);
});

test("a configuration of another deployment than the one that was looked for is a warning", async () => {
  vi.stubEnv("FLEETWRIGHT_NAME", "staging");
  const { code, findings } = await diagnosis();
  expect({ code, findings }).toEqual({
    code: 0,
    findings: [{ code: "configuration.name", mend: "fleet doctor --name fleetwright" }],
  });
});

test("if parameters may not be read, it is unknown whether there is a deployment, and the account is checked", async () => {
  fake.state.denied.push("ssm");
  const { code, stage, findings } = await diagnosis();
  expect({ code, stage }).toEqual({ code: 0, stage: "unknown" });
  expect(findings.map(({ code: each }) => each)).toEqual(["deployment.unchecked", "bootstrap.unchecked", "images.unchecked"]);
});

test("the plan of the default configuration has the functions of a deployment, its pools and its queues", async () => {
  const planned = await plan(join(import.meta.dirname, "..", "..", "cdk", "fleet.config.ts"), () => undefined);
  expect(planned).toMatchObject({
    name: "fleetwright",
    pools: [{ pool: "gpu", families: ["g4dn", "g5", "g6"], markets: ["spot", "on-demand"], gpuLimit: 16 }],
    images: [{ pools: ["gpu"], image: expect.stringMatching(/^resolve:ssm:\/aws\/service\//) }],
    zones: 3,
    reserved: 0,
    byQueues: 75,
  });
  expect(planned.functions).toBe(functionNames.length);
});
