import { describe, expect, test } from "vitest";
import * as z from "zod";
import { JobMessage, specOf } from "../../../events/job.ts";
import { bodyHash } from "../../../lib/flows/job/body-hash.ts";

const hashOf = (message: object, schema: typeof JobMessage = JobMessage): string => bodyHash(specOf(schema.parse(message)), schema);
const smallest = { command: ["python", "train.py"] };
const large = {
  id: "resnet50-2026-11-20",
  command: ["python", "train.py", "--epochs", "90"],
  code: { s3: "s3://fleetwright-code-111122223333/research/3f7a1c.tar.gz" },
  gpus: { count: 4, memoryGiB: 24, models: ["A10G", "L4"] },
  vcpus: 32,
  memoryGiB: 120,
  pool: "gpu",
  priority: 10,
  maxRuntimeSeconds: 43_200,
  retries: 2,
  env: { WANDB_MODE: "offline" },
  artifacts: ["metrics", "ckpt/*.pt", { path: "model.pt", required: true }],
  spot: true,
};

/**
 * Messages with the hashes that deployed tables hold. If a hash changes, a message that is sent again after the deployment is rejected as
 * another job: do not change a message or a hash here, change what the schema or the hash does.
 */
const golden = [
  ["smallest message", smallest, "869c16c9000cc0b10527ea5d1069f5881e310fb4c73227da1944f908ba998285"],
  ["message with the fields of the first release", large, "59a9ef2fa94f174a9bca33d1ff5109f5539d36e11a3e412b1a94488431b0d48c"],
] as const;

describe("the hash of a message over releases", () => {
  test.each(golden)("the hash of the %s stays the same in every release", (_which, message, hash) => {
    expect(hashOf(message)).toBe(hash);
  });

  test.each(golden)("the hash of the %s stays the same if the schema has new fields with defaults", (_which, message, hash) => {
    const gpus = JobMessage.shape.gpus.unwrap().options[1].extend({ interconnect: z.enum(["any", "nvlink"]).default("any") });
    const next = JobMessage.safeExtend({
      zones: z.array(z.string()).default([]),
      network: z.strictObject({ mode: z.enum(["host", "bridge"]).default("host") }).default({ mode: "host" }),
      account: z.string().optional(),
      gpus: z
        .union([z.int().transform((count) => ({ count, memoryGiB: 0, models: [] as string[], interconnect: "any" as const })), gpus])
        .default({ count: 1, memoryGiB: 0, models: [], interconnect: "any" }),
    });
    expect(next.parse(message)).toMatchObject({ zones: [], network: { mode: "host" }, gpus: { interconnect: "any" } });
    expect(hashOf(message, next)).toBe(hash);
    expect(hashOf({ ...message, zones: ["us-east-1a"] }, next)).not.toBe(hash);
    expect(hashOf({ ...message, gpus: { count: 4, interconnect: "nvlink" } }, next)).not.toBe(
      hashOf({ ...message, gpus: { count: 4 } }, next),
    );
  });
});

test("the order of keys and explicit defaults do not change the hash", () => {
  const given = { command: ["x"], env: { A: "1", B: "2" }, artifacts: ["out"], datasets: ["cats"] };
  const written = {
    datasets: [{ share: "whole", name: "cats" }],
    artifacts: [{ required: false, path: "out" }],
    env: { B: "2", A: "1" },
    gpus: { models: [], memoryGiB: 0, count: 1 },
    priority: -0,
    spot: true,
    command: ["x"],
  };
  expect(hashOf(written)).toBe(hashOf(given));
});

test("a message that cannot be read has the hash of its text", () => {
  expect(bodyHash("not JSON")).toBe(bodyHash("not JSON"));
  expect(bodyHash("not JSON")).not.toBe(bodyHash("not  JSON"));
});
