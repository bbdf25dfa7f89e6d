import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStage, type Stage, shell } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const sample = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "events", "samples", `${name}.json`), "utf8"));

/** Runs long in its first attempt only. */
const once = 'if [ "$FLEETWRIGHT_ATTEMPT" = 1 ]; then sleep 40; fi; sleep 2; echo "$FLEETWRIGHT_ATTEMPT" > attempt.txt';

it("a job whose instance EC2 takes back runs again elsewhere, and its node is given back before it ends", async () => {
  const id = await stage.send(shell(once, { id: "interrupted", artifacts: ["attempt.txt"] }));
  const { node = "" } = await stage.until(id, (job) => job.state === "running");
  stage.cloud.ec2.record.interrupt(node, { noticeMs: 30_000 });
  const again = await stage.until(id, (job) => job.attempt === 2 && job.state === "running", { withinMs: 25_000 });
  expect(again.node).not.toBe(node);
  expect(await stage.ended(id)).toMatchObject({ state: "succeeded", attempt: 2, failures: 0 });
});

it("a job on an instance that EC2 may take back ends where it is", async () => {
  const id = await stage.send(shell("sleep 4", { id: "rebalanced" }));
  const { node = "" } = await stage.until(id, (job) => job.state === "running");
  stage.cloud.ec2.record.recommendRebalance(node);
  expect(await stage.ended(id)).toMatchObject({ state: "succeeded", attempt: 1 });
});

describe("an event that is not ours, or not understood, is acknowledged", () => {
  it.each([
    ["on-instance", "of a stranger's instance", sample("instance-state-change")],
    ["on-instance", "that a stranger's instance is interrupted", sample("spot-interruption-warning")],
    ["on-instance", "that a stranger's instance may be", sample("rebalance-recommendation")],
    ["on-instance", "of another service", sample("object-created")],
    ["on-instance", "that is nothing", {}],
    ["on-alarm", "of a stranger's alarm", { ...sample("alarm-state-change"), detail: { alarmName: "CPU", state: { value: "ALARM" } } }],
    ["on-alarm", "of another service", sample("instance-state-change")],
    ["on-alarm", "that is nothing", null],
  ])("%s: one %s", async (handler, _what, event) => {
    for (const _time of [1, 2]) expect((await stage.cloud.invoke(handler, event)).kind).toBe("returned");
  });
});

it("an alarm of ours rings its pool, and twice does no harm", async () => {
  for (const _time of [1, 2]) expect((await stage.cloud.invoke("on-alarm", sample("alarm-state-change"))).kind).toBe("returned");
  const id = await stage.send(shell("true", { id: "after-the-alarm" }));
  expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
});
