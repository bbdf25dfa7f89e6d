import { describe, expect, test } from "vitest";
import { workerEnvironment } from "../../../lib/worker/environment.ts";
import { type EnvironmentOrder, jobEnvironment } from "../../../lib/worker/run/job-environment.ts";

const least = { FLEETWRIGHT_NODE_URL: "https://x.lambda-url.eu-west-1.on.aws/", FLEETWRIGHT_POOL: "gpu", AWS_REGION: "eu-west-1" };

describe("the worker's environment", () => {
  test("the worker's environment needs three variables", () => {
    expect(workerEnvironment(least)).toMatchObject({ pool: "gpu", region: "eu-west-1", folder: "/var/lib/fleetwright", local: false });
    expect(workerEnvironment({ ...least, AWS_ENDPOINT_URL: "http://127.0.0.1:4566" }).local).toBe(true);
    const metadata = { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1338/" };
    expect([least, { ...least, ...metadata }].map((env) => workerEnvironment(env).metadataUrl)).toEqual([
      "http://169.254.169.254",
      "http://127.0.0.1:1338",
    ]);
  });

  test("the worker's environment may name folders, users, commands and paths", () => {
    expect(workerEnvironment(least)).toEqual({
      nodeUrl: "https://x.lambda-url.eu-west-1.on.aws/",
      pool: "gpu",
      region: "eu-west-1",
      folder: "/var/lib/fleetwright",
      local: false,
      metadataUrl: "http://169.254.169.254",
      path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    });
    const more = { FLEETWRIGHT_FOLDER: "/work", FLEETWRIGHT_JOB_USER: "job", FLEETWRIGHT_SHUTDOWN: "poweroff", PATH: "/bin" };
    expect(workerEnvironment({ ...least, ...more })).toMatchObject({
      folder: "/work",
      jobUser: "job",
      shutdownCommand: "poweroff",
      path: "/bin",
    });
    for (const wrong of [{ FLEETWRIGHT_JOB_USER: "Job" }, { FLEETWRIGHT_FOLDER: "work" }, { FLEETWRIGHT_SHUTDOWN: "" }, { PATH: "" }])
      expect(() => workerEnvironment({ ...least, ...wrong })).toThrow(Object.keys(wrong)[0]);
  });

  test("an incomplete environment is refused with the name of every variable that is missing or invalid", () => {
    expect(() => workerEnvironment({ FLEETWRIGHT_POOL: "No Pool" })).toThrow(
      /FLEETWRIGHT_NODE_URL[\s\S]*FLEETWRIGHT_POOL[\s\S]*AWS_REGION/,
    );
  });
});

describe("a job's environment", () => {
  const order = (spec: EnvironmentOrder["spec"], more: Partial<EnvironmentOrder> = {}): EnvironmentOrder => ({
    team: "vision",
    job: "train-1",
    attempt: 2,
    spec,
    ...more,
  });
  const place = { work: "/w/work", tmp: "/w/tmp", gpus: [0, 3], path: "/bin" };

  test("a job's environment says which job it is, where it may write and which GPUs it has", () => {
    expect(jobEnvironment(order({ env: { EPOCHS: "3" }, artifacts: ["model", "log.txt"] }), place)).toEqual({
      PATH: "/bin",
      HOME: "/w/work",
      TMPDIR: "/w/tmp",
      LANG: "C.UTF-8",
      PYTHONUNBUFFERED: "1",
      EPOCHS: "3",
      FLEETWRIGHT_TEAM: "vision",
      FLEETWRIGHT_JOB: "train-1",
      FLEETWRIGHT_ATTEMPT: "2",
      FLEETWRIGHT_ARTIFACTS: "model\nlog.txt",
      FLEETWRIGHT_FOLDER: "/w/work",
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
      CUDA_VISIBLE_DEVICES: "0,3",
    });
  });

  test("a job may set PATH but not its GPUs", () => {
    const env = jobEnvironment(order({ env: { PATH: "/opt", CUDA_VISIBLE_DEVICES: "0,1,2,3" }, artifacts: [] }), { ...place, gpus: [] });
    expect(env).toMatchObject({ PATH: "/opt", CUDA_VISIBLE_DEVICES: "" });
  });

  test("a job's environment makes Python write output at once, unless the job sets it otherwise", () => {
    expect(jobEnvironment(order({ env: { PYTHONUNBUFFERED: "" }, artifacts: [] }), place)).toMatchObject({ PYTHONUNBUFFERED: "" });
  });

  test("a job's environment says where its datasets are", () => {
    expect(jobEnvironment(order({ env: {}, artifacts: [] }), { ...place, data: "/w/data" })).toMatchObject({ FLEETWRIGHT_DATA: "/w/data" });
  });

  test("the environment of a gang's member has what torch's rendezvous reads, and the job cannot change it", () => {
    const gang = { rank: 1, size: 3, master: { address: "10.0.0.7", port: 20_017 } };
    expect(jobEnvironment(order({ env: { RANK: "0", MASTER_ADDR: "elsewhere" }, artifacts: [] }, { gang }), place)).toMatchObject({
      RANK: "1",
      NODE_RANK: "1",
      WORLD_SIZE: "3",
      MASTER_ADDR: "10.0.0.7",
      MASTER_PORT: "20017",
      FLEETWRIGHT_RANK: "1",
      FLEETWRIGHT_NODES: "3",
    });
  });
});
