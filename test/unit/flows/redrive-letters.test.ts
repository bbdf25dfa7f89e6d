import { describe, expect, test } from "vitest";
import { maxJobBytes } from "../../../events/job.ts";
import { deleteLetters, maxLetters, redriveLetters } from "../../../lib/flows/redrive-letters.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { deadQueues } from "../../../lib/model/letters/dead-letter.ts";
import { World } from "./world.ts";

const queueNamed = (name: string) => {
  const found = deadQueues(["vision"]).find((queue) => queue.name === name);
  if (!found) throw new Error(`there is no queue ${name}`);
  return found;
};
const [jobs, seal, lane] = [queueNamed("jobs-vision"), queueNamed("seal"), queueNamed("lane")];

function start() {
  const world = new World();
  return { world, letters: world.ports.deadLetters };
}

describe("sending letters back", () => {
  test("a letter is sent to its queue before it is deleted, unchanged, so that a crash in between repeats it but loses nothing", async () => {
    const { world, letters } = start();
    letters.put("seal", '{"seal": {"team":"vision","job":"j","attempt":1}}');
    expect(await redriveLetters(world.deps, seal)).toMatchObject({ outcomes: [{ letter: "m-1", kind: "done" }], more: false });
    expect(letters.done).toEqual(['send seal {"seal": {"team":"vision","job":"j","attempt":1}}', "delete seal m-1"]);
  });

  test("a letter that could not be sent stays, and nothing more is taken from its queue", async () => {
    const { world, letters } = start();
    for (let n = 0; n < 30; n += 1) letters.put("seal", {});
    letters.failing.add("send");
    const { outcomes, more } = await redriveLetters(world.deps, seal);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["failed"]));
    expect([outcomes.length, more]).toEqual([10, false]);
    expect(await letters.count(seal)).toBe(30);
    expect(letters.done).toEqual([]);
    expect(world.log.filter(({ message }) => message === "dead letter not handled")).toHaveLength(10);
    letters.failing.clear();
    world.nowMs += 60_000;
    expect((await redriveLetters(world.deps, seal)).outcomes).toHaveLength(30);
    expect(await letters.count(seal)).toBe(0);
  });

  test("a letter that was sent and not deleted is reported as repeated", async () => {
    const { world, letters } = start();
    letters.put("seal", {});
    letters.failing.add("delete");
    expect((await redriveLetters(world.deps, seal)).outcomes).toMatchObject([{ kind: "repeated", error: expect.any(Error) }]);
    expect(await letters.count(seal)).toBe(1);
  });

  test("a call sends a bounded number of letters back, and says that there are more", async () => {
    const { world, letters } = start();
    for (let n = 0; n < maxLetters + 5; n += 1) letters.put("seal", {});
    const first = await redriveLetters(world.deps, seal);
    expect([first.outcomes.length, first.more]).toEqual([100, true]);
    const second = await redriveLetters(world.deps, seal);
    expect([second.outcomes.length, second.more]).toEqual([5, false]);
  });

  test("a call takes no more letters after ten seconds, so that its caller gets a response", async () => {
    const { world, letters } = start();
    for (let n = 0; n < 90; n += 1) letters.put("seal", {});
    const slow = { ...letters, send: letters.send, delete: letters.delete, count: letters.count, look: letters.look };
    const take: typeof letters.take = (of, most) => {
      world.nowMs += 4_000;
      return letters.take(of, most);
    };
    const { outcomes, more } = await redriveLetters({ ...world.deps, deadLetters: { ...slow, take } }, seal);
    expect([outcomes.length, more]).toEqual([30, true]);
  });

  test("a job without an id keeps the name that it had, so that one that was admitted before does not run twice", async () => {
    const { world, letters } = start();
    const body = '{"command":["python"],"env":{"A":"1"}}';
    const first = { team: "vision", messageId: "message-1", body, sentAtMs: world.nowMs };
    expect((await submitJob(world.submitDeps, first)).kind).toBe("queued");
    letters.put("jobs-vision", body, { id: "message-1" });
    await redriveLetters(world.deps, jobs);
    const sent = letters.done[0]?.slice("send jobs-vision ".length) ?? "";
    expect(await submitJob(world.submitDeps, { ...first, messageId: "message-2", body: sent })).toMatchObject({
      kind: "same",
      job: { job: "message-1" },
    });
  });

  test.each([
    ["names its job", '{ "id": "mine", "command": ["x"] }'],
    ["is not JSON", '{"command":'],
    ["is no object", '["x"]'],
  ])("a job message that %s is sent back unchanged", async (_what, body) => {
    const { world, letters } = start();
    letters.put("jobs-vision", body);
    await redriveLetters(world.deps, jobs);
    expect(letters.done[0]).toBe(`send jobs-vision ${body}`);
  });
});

test("a job message that would be too large with a name is not sent back, because its job might run twice", async () => {
  const { world, letters } = start();
  letters.put("jobs-vision", JSON.stringify({ command: ["x".repeat(maxJobBytes - 20)] }));
  const { outcomes } = await redriveLetters(world.deps, jobs);
  expect(outcomes).toMatchObject([{ kind: "failed", error: { code: "too-large" } }]);
  expect(letters.done).toEqual([]);
});

test("outdated letters are deleted and sent nowhere", async () => {
  const { world, letters } = start();
  for (let n = 0; n < 12; n += 1) letters.put("lane", { pool: "gpu" });
  const { outcomes, more } = await deleteLetters(world.deps, lane);
  expect([outcomes.length, more]).toEqual([12, false]);
  expect(new Set(letters.done.map((line) => line.split(" ")[0]))).toEqual(new Set(["delete"]));
  expect(await letters.count(lane)).toBe(0);
});
