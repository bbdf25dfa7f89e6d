import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InstanceEvent } from "../../../events/instance.ts";
import { JobMessage } from "../../../events/job.ts";
import { PoolRang } from "../../../events/lane.ts";
import { NodeCall } from "../../../events/node-call.ts";
import { samples } from "../../../events/schema/samples.ts";
import { Tick } from "../../../events/tick.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "events", "samples");
const sample = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

test("every sample has a schema, and every schema has a sample", () => {
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(samples)
      .map((name) => `${name}.json`)
      .sort(),
  );
});

test.each(Object.entries(samples))("the sample %s matches its schema", (name, schema) => {
  expect(schema.safeParse(sample(name)).error).toBeUndefined();
});

test("the sample job-full has every field of a job message", () => {
  expect(Object.keys(sample("job-full")).toSorted()).toEqual(Object.keys(JobMessage.shape).toSorted());
});

describe("events that are refused", () => {
  test("a ring without a pool, or with another field, is refused", () => {
    expect(PoolRang.safeParse({}).success).toBe(false);
    expect(PoolRang.safeParse({ pool: "../gpu" }).success).toBe(false);
    expect(PoolRang.safeParse({ pool: "gpu", force: true }).success).toBe(false);
  });

  test("a tick other than the minute's is refused", () => {
    expect(Tick.safeParse({ tick: "hour" }).success).toBe(false);
  });

  test.each<[string, (event: Record<string, unknown>) => unknown]>([
    ["an event of another service", (event) => ({ ...event, source: "aws.s3" })],
    ["an instance event without a valid instance id", (event) => ({ ...event, detail: { "instance-id": "x", state: "terminated" } })],
    [
      "an instance event with a state that EC2 does not have",
      (event) => ({ ...event, detail: { "instance-id": "i-0123456789abcdef0", state: "asleep" } }),
    ],
  ])("%s is refused", (_what, changed) => {
    expect(InstanceEvent.safeParse(changed(sample("instance-state-change"))).success).toBe(false);
  });

  test.each<[string, object]>([
    ["another protocol", { protocol: 2 }],
    ["a call of another kind", { kind: "terminate" }],
    ["an identity in the call", { node: "i-0123456789abcdef0" }],
    ["501 attempts", { attempts: Array(501).fill({ team: "a", job: "b", attempt: 1, phase: "running", startedAtMs: 1 }) }],
    ["an unknown phase", { attempts: [{ team: "a", job: "b", attempt: 1, phase: "thinking" }] }],
    ["an empty process id", { process: "" }],
  ])("a worker's call with %s is refused", (_what, over) => {
    expect(NodeCall.safeParse({ ...sample("node-report"), ...over }).success).toBe(false);
  });
});
