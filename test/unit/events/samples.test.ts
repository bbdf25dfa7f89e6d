import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InstanceEvent } from "../../../events/instance.ts";
import { PoolRang } from "../../../events/lane.ts";
import { NodeCall } from "../../../events/node-call.ts";
import { samples } from "../../../events/schema/samples.ts";
import { Tick } from "../../../events/tick.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "events", "samples");
const sample = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

test("every sample has a schema and every schema a sample", () => {
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(samples)
      .map((name) => `${name}.json`)
      .sort(),
  );
});

test.each(Object.entries(samples))("%s is what its schema takes", (name, schema) => {
  expect(schema.safeParse(sample(name)).error).toBeUndefined();
});

describe("refused", () => {
  test("a ring without a pool, or with more than that", () => {
    expect(PoolRang.safeParse({}).success).toBe(false);
    expect(PoolRang.safeParse({ pool: "../gpu" }).success).toBe(false);
    expect(PoolRang.safeParse({ pool: "gpu", force: true }).success).toBe(false);
  });

  test("any tick but the minute's", () => {
    expect(Tick.safeParse({ tick: "hour" }).success).toBe(false);
  });

  test.each<[string, (event: Record<string, unknown>) => unknown]>([
    ["another service's event", (event) => ({ ...event, source: "aws.s3" })],
    ["an instance that is none", (event) => ({ ...event, detail: { "instance-id": "x", state: "terminated" } })],
    ["a state that EC2 has not", (event) => ({ ...event, detail: { "instance-id": "i-0123456789abcdef0", state: "asleep" } })],
  ])("%s", (_what, changed) => {
    expect(InstanceEvent.safeParse(changed(sample("instance-state-change"))).success).toBe(false);
  });

  test.each<[string, object]>([
    ["another protocol", { protocol: 2 }],
    ["a call of another kind", { kind: "terminate" }],
    ["an identity in the call", { node: "i-0123456789abcdef0" }],
    ["501 attempts", { attempts: Array(501).fill({ team: "a", job: "b", attempt: 1, phase: "running", startedAtMs: 1 }) }],
    ["a phase that there is not", { attempts: [{ team: "a", job: "b", attempt: 1, phase: "thinking" }] }],
    ["no run of a worker", { process: "" }],
  ])("a worker's call with %s", (_what, over) => {
    expect(NodeCall.safeParse({ ...sample("node-report"), ...over }).success).toBe(false);
  });
});
