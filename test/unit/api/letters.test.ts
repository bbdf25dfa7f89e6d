import { describe, expect, test } from "vitest";
import * as z from "zod";
import { DeadQueueList } from "../../../lib/api/views/letters.ts";
import { monday } from "../../fakes/builders.ts";
import { ApiWorld } from "./api-world.ts";

const post = (path: string) => [path, { as: "admin", method: "POST" }] as const;

describe("the API's dead letters", () => {
  test("the list has every queue, with its remedy, its count, and what some of its letters are about, the oldest first", async () => {
    const world = new ApiWorld();
    world.ports.deadLetters.put("seal", { seal: { team: "vision", job: "train-1", attempt: 2 } }, { id: "newer", sentAtMs: monday + 1 });
    world.ports.deadLetters.put("seal", "not even JSON", { id: "older", sentAtMs: monday, error: "denied" });
    for (let n = 0; n < 12; n += 1) world.ports.deadLetters.put("lane", { pool: "gpu" });
    const { items } = DeadQueueList.parse((await world.fetch("/v1/dead-letters", { as: "admin" })).body);
    expect(items.map(({ queue }) => queue)).toEqual([
      "jobs-research",
      "jobs-vision",
      "seal",
      "outboxes",
      "shards",
      "lane",
      "later",
      "on-instance",
      "on-alarm",
      "tick",
    ]);
    expect(items.find(({ queue }) => queue === "seal")).toEqual({
      queue: "seal",
      deadQueue: "fleetwright-dead-seal",
      function: "fleetwright-seal-artifact",
      count: 2,
      remedy: "redrive",
      because: expect.stringContaining("sealing one twice is harmless"),
      letters: [
        { letter: "older", sentAt: new Date(monday).toISOString(), received: 6, error: "denied" },
        {
          letter: "newer",
          subject: { kind: "attempt", name: "vision/train-1, attempt 2" },
          sentAt: new Date(monday + 1).toISOString(),
          received: 6,
        },
      ],
    });
    const lane = items.find(({ queue }) => queue === "lane");
    expect(lane).toMatchObject({ deadQueue: "fleetwright-dead-lane.fifo", count: 12, remedy: "delete" });
    expect(lane?.letters).toHaveLength(10);
    expect(items.find(({ queue }) => queue === "jobs-vision")).toMatchObject({ team: "vision", count: 0, letters: [] });
  });

  test("the list names jobs, but shows nothing else of their messages", async () => {
    const world = new ApiWorld();
    world.ports.deadLetters.put("jobs-vision", { id: "train-9", command: ["run", "hunter2"], env: { TOKEN: "hunter2" } });
    world.ports.deadLetters.put("jobs-vision", { command: ["hunter2"] }, { id: "message-7" });
    const { body } = await world.fetch("/v1/dead-letters", { as: "admin" });
    const names = z.object({
      items: z.array(z.object({ letters: z.array(z.object({ subject: z.object({ name: z.string() }).optional() })) })),
    });
    expect(names.parse(body).items.flatMap(({ letters }) => letters.map(({ subject }) => subject?.name))).toEqual([
      "vision/train-9",
      "vision/message-7",
    ]);
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });

  test("letters are sent back, and the response says how many, which failed, and why", async () => {
    const world = new ApiWorld();
    world.ports.deadLetters.put("shards", { team: "vision", dataset: "cats" });
    expect((await world.fetch(...post("/v1/dead-letters/shards/redrive"))).body).toEqual({
      queue: "shards",
      done: 1,
      failures: [],
      more: false,
    });
    world.ports.deadLetters.put("shards", { team: "vision", dataset: "dogs" });
    world.ports.deadLetters.failing.add("delete");
    expect((await world.fetch(...post("/v1/dead-letters/shards/redrive"))).body).toEqual({
      queue: "shards",
      done: 0,
      failures: [
        {
          letter: "m-2",
          subject: { kind: "dataset", name: "vision/dogs" },
          outcome: "repeated",
          because: "the queue refuses to delete",
        },
      ],
      more: false,
    });
  });

  test.each([
    ["lane/redrive", "The letters of lane are outdated: the tick wakes every pool that has work. Delete them."],
    ["seal/delete", /^The letters of seal must not be deleted: .* Send them back\.$/],
  ])("the call %s is refused with what to do instead, and changes nothing", async (path, detail) => {
    const world = new ApiWorld();
    for (const queue of ["lane", "seal"]) world.ports.deadLetters.put(queue, {});
    const { status, body } = await world.fetch(...post(`/v1/dead-letters/${path}`));
    expect(status).toBe(409);
    expect(z.object({ detail: z.string() }).parse(body).detail).toMatch(detail);
    expect(world.ports.deadLetters.done).toEqual([]);
  });
});
