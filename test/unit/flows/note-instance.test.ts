import { expect, test } from "vitest";
import type { InstanceEvent } from "../../../events/instance.ts";
import { noteInstance } from "../../../lib/flows/note-instance.ts";
import { World } from "./world.ts";

type StateChange = Extract<InstanceEvent, { "detail-type": "EC2 Instance State-change Notification" }>;

const news = (id: string, state: StateChange["detail"]["state"]): InstanceEvent => ({
  source: "aws.ec2",
  "detail-type": "EC2 Instance State-change Notification",
  time: "2026-06-01T00:00:00Z",
  detail: { "instance-id": id, state },
});
const note = (world: World, event: InstanceEvent) =>
  noteInstance({ bell: world.ledger.bell, lane: world.lane, ledger: world.ledger.nodeLedger, now: () => world.nowMs }, event);

async function launched(): Promise<World> {
  const world = new World();
  await world.submit("a");
  await world.workOff();
  return world;
}

test.each(["terminated", "stopped"] as const)("an instance of ours that is %s is gone, and its pool is woken", async (state) => {
  const world = await launched();
  const { id } = world.node;
  expect(await note(world, news(id, state))).toBe("noted");
  expect(world.node.state).toBe("gone");
  expect(world.lane.waiting).toEqual(["gpu"]);
  await world.workOff();
  expect(world.job("a")).toMatchObject({ attempt: 2, state: "placed" });
});

test.each(["pending", "running", "stopping", "shutting-down"] as const)("one that is %s may still run something", async (state) => {
  const world = await launched();
  expect(await note(world, news(world.node.id, state))).toBe("no-news");
  expect(world.node.state).toBe("launching");
  expect(world.lane.waiting).toEqual([]);
});

test("somebody else's instance is none of ours", async () => {
  const world = await launched();
  expect(await note(world, news("i-0fedcba9876543210", "terminated"))).toBe("not-ours");
  expect(world.lane.waiting).toEqual([]);
});

test("the same news twice gives a job back once", async () => {
  const world = await launched();
  const { id } = world.node;
  await note(world, news(id, "terminated"));
  await world.workOff();
  await note(world, news(id, "terminated"));
  await world.workOff();
  expect(world.job("a")).toMatchObject({ attempt: 2 });
});
