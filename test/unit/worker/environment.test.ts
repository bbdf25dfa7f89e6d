import { describe, expect, test } from "vitest";
import { workerEnvironment } from "../../../lib/worker/environment.ts";
import { jobEnvironment } from "../../../lib/worker/job-environment.ts";

const least = { FLEETWRIGHT_NODE_URL: "https://x.lambda-url.eu-west-1.on.aws/", FLEETWRIGHT_POOL: "gpu", AWS_REGION: "eu-west-1" };

describe("the worker's environment", () => {
  test("needs three variables", () => {
    expect(workerEnvironment(least)).toMatchObject({ pool: "gpu", region: "eu-west-1", folder: "/var/lib/fleetwright", local: false });
    expect(workerEnvironment({ ...least, AWS_ENDPOINT_URL: "http://127.0.0.1:4566" }).local).toBe(true);
  });

  test("names every variable that is missing or wrong", () => {
    expect(() => workerEnvironment({ FLEETWRIGHT_POOL: "No Pool" })).toThrow(
      /FLEETWRIGHT_NODE_URL[\s\S]*FLEETWRIGHT_POOL[\s\S]*AWS_REGION/,
    );
  });
});

describe("a job's environment", () => {
  const ref = { team: "vision", job: "train-1", attempt: 2 };
  const place = { work: "/w/work", tmp: "/w/tmp", gpus: [0, 3], path: "/bin" };

  test("says who it is, where it may write and which GPUs are its own", () => {
    expect(jobEnvironment(ref, { env: { EPOCHS: "3" }, artifacts: ["model", "log.txt"] }, place)).toEqual({
      PATH: "/bin",
      HOME: "/w/work",
      TMPDIR: "/w/tmp",
      LANG: "C.UTF-8",
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

  test("may choose its path, never its GPUs", () => {
    const env = jobEnvironment(ref, { env: { PATH: "/opt", CUDA_VISIBLE_DEVICES: "0,1,2,3" }, artifacts: [] }, { ...place, gpus: [] });
    expect(env).toMatchObject({ PATH: "/opt", CUDA_VISIBLE_DEVICES: "" });
  });
});
