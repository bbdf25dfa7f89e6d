import { describe, expect, test } from "vitest";
import { tick } from "../../../lib/flows/tick.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { deadQueues } from "../../../lib/model/letters/dead-letter.ts";
import { MemoryTaggedInstances } from "../../../lib/sim/memory/orphans.ts";
import { aWorld } from "./world.ts";

/** Ticks once, and returns what it did and the numbers that it published for the alarm. */
async function ticked(world: ReturnType<typeof aWorld>, teams: readonly string[], count = world.ports.deadLetters.count) {
  const published: number[] = [];
  const deps = { ...world.deps, teams, deadLetters: { count }, instances: new MemoryTaggedInstances(world.fleet, () => world.nowMs) };
  const done = await tick({ ...deps, publishDeadJobs: (sum) => void published.push(sum) });
  return { ...done, published };
}

describe("dead letters of jobs", () => {
  test("a tick names each team whose jobs have become dead letters, and publishes how many there are", async () => {
    const world = aWorld();
    const { deadLetters } = world.ports;
    for (const job of ["a", "b"]) deadLetters.put("jobs-vision", { id: job });
    deadLetters.put("jobs-research", { id: "c" });
    // Other queues have alarms of their own.
    deadLetters.put("seal", {});
    expect(await ticked(world, ["vision", "speech", "research"])).toMatchObject({
      deadJobs: [
        { team: "research", count: 1 },
        { team: "vision", count: 2 },
      ],
      published: [3],
      errors: [],
    });
  });

  test("nothing is published while there are none, because a metric costs nothing in months without it", async () => {
    expect(await ticked(aWorld(), ["vision", "research"])).toMatchObject({ deadJobs: [], published: [], errors: [] });
  });

  test("letters that somebody is sending back still count, so that the alarm does not end meanwhile", async () => {
    const world = aWorld();
    world.ports.deadLetters.put("jobs-vision", { id: "a" });
    const [queue] = deadQueues(["vision"]);
    if (queue) expect(await world.ports.deadLetters.take(queue, 1)).toHaveLength(1);
    expect(await ticked(world, ["vision"])).toMatchObject({ published: [1] });
  });

  test("a queue that cannot be looked at fails the tick, and does not hide the letters of other teams", async () => {
    const world = aWorld();
    const { deadLetters } = world.ports;
    deadLetters.put("jobs-vision", { id: "a" });
    deadLetters.missing.add("jobs-speech");
    const refused = new Error("SQS does not respond");
    const done = await ticked(world, ["research", "speech", "vision"], async (queue) => {
      if (queue.team === "research") throw refused;
      return deadLetters.count(queue);
    });
    expect(done).toMatchObject({ deadJobs: [{ team: "vision", count: 1 }], published: [1] });
    expect(done.errors).toEqual([
      { part: "dead letters of team research", error: refused },
      { part: "dead letters of team speech", error: expect.any(FleetError) },
    ]);
  });
});
