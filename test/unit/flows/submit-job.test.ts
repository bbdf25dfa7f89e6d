import { describe, expect, test } from "vitest";
import * as z from "zod";
import { JobMessage } from "../../../events/job.ts";
import { bodyHash } from "../../../lib/flows/job/body-hash.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { aCatalogue, aJob, aPool, aSpec, monday } from "../../fakes/builders.ts";
import { aWorld, type World } from "./world.ts";

const send = (world: World, body: string, messageId = "m-1") =>
  submitJob(world.submitDeps, { team: "vision", messageId, body, sentAtMs: monday });
const jobs = (world: World): string[] => [...world.ledger.table.jobs.values()].map(({ job, state }) => `${job} ${state}`);

test("a message becomes a waiting job, and its pool is woken", async () => {
  const world = aWorld();
  expect(await send(world, '{"command":["python","train.py"]}')).toMatchObject({ kind: "queued", job: { job: "m-1", pool: "gpu" } });
  expect(world.ledger.table.queueOf("gpu")).toMatchObject([{ team: "vision", job: "m-1", attempt: 1, submittedAtMs: monday }]);
  expect(world.lane.waiting).toEqual(["gpu"]);
});

test("a message that is deeply nested, or wrong in a thousand places, is rejected with a short reason", async () => {
  const world = aWorld();
  const deep = `${"[".repeat(15_000)}${"]".repeat(15_000)}`;
  expect(await send(world, deep, "m-1")).toMatchObject({ kind: "rejected" });
  expect(await send(world, `{"command":["x"],"x":${deep}}`, "m-2")).toMatchObject({ kind: "rejected" });
  const env = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`${n}`, 0]));
  const { kind, job } = await send(world, JSON.stringify({ command: ["x"], env }), "m-3");
  expect(kind).toBe("rejected");
  expect(job.reason?.length).toBeLessThan(2_000);
});

test("a job beyond the most that may wait is rejected with a reason, and its id can be used again when others have begun", async () => {
  const world = aWorld({ pool: aPool({ maxQueuedJobs: 1 }) });
  expect(await send(world, '{"id":"first","command":["x"]}')).toMatchObject({ kind: "queued" });
  const { kind, job } = await send(world, '{"id":"second","command":["x"]}', "m-2");
  expect(kind).toBe("rejected");
  expect(job).toMatchObject({ job: "m-2", reason: expect.stringMatching(/^1 jobs of team vision wait in pool gpu already/) });
  await world.ledger.cancellations.cancel({ team: "vision", job: "first" }, { reason: "no", atMs: monday });
  expect(await send(world, '{"id":"second","command":["x"]}', "m-3")).toMatchObject({ kind: "queued", job: { job: "second" } });
});

describe("the same message twice", () => {
  test("the same message twice is one job", async () => {
    const world = aWorld();
    await world.submit("a");
    expect(await world.submit("a")).toMatchObject({ kind: "same" });
    expect(jobs(world)).toEqual(["a queued"]);
  });

  test("the same message with its fields in another order is one job", async () => {
    const world = aWorld();
    await send(world, '{"id":"a","command":["x"],"env":{"A":"1","B":"2"}}', "m-1");
    expect(await send(world, '{ "env": { "B": "2", "A": "1" }, "command": ["x"], "id": "a" }', "m-2")).toMatchObject({ kind: "same" });
    expect(jobs(world)).toEqual(["a queued"]);
  });

  test("the same message rings again, because the first delivery may have crashed before its ring", async () => {
    const world = aWorld();
    world.ledger.wire.failBefore("bell.ring");
    await expect(world.submit("a")).rejects.toThrow("bell.ring");
    expect(world.lane.waiting).toEqual([]);
    expect(await world.submit("a")).toMatchObject({ kind: "same" });
    expect(world.lane.waiting).toEqual(["gpu"]);
  });

  test("the same message rings again although a release with a new field was deployed in between", async () => {
    const world = aWorld();
    const body = '{"id":"a","command":["x"]}';
    // A job that an earlier release without the field "datasets" wrote, and whose handler crashed before its ring.
    const { datasets: _datasets, ...shape } = JobMessage.shape;
    const older = z.strictObject(shape);
    const { id: _id, ...spec } = older.parse(JSON.parse(body));
    await world.ledger.admissions.admit(aJob({ job: "a", spec: aSpec(spec), bodyHash: bodyHash(spec, older) }));
    expect(world.lane.waiting).toEqual([]);
    expect(await send(world, body)).toMatchObject({ kind: "same" });
    expect(await send(world, '{"id":"a","command":["x"],"datasets":[],"gpus":1}')).toMatchObject({ kind: "same" });
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect(jobs(world)).toEqual(["a queued"]);
  });

  test("the same message wakes its pool even if that was removed from the configuration and the first delivery crashed before or after its ring", async () => {
    const body = '{"id":"a","command":["x"],"pool":"gpu"}';
    for (const call of ["bell.ring", "lane.send"] as const) {
      const world = aWorld();
      if (call === "bell.ring") world.ledger.wire.failBefore(call);
      else world.lane.interruptions.failBefore("send");
      await expect(send(world, body)).rejects.toThrow();
      const deps = { ...world.submitDeps, fleet: { pools: [aPool({ name: "other" })], defaultPool: "other" } };
      const again = await submitJob(deps, { team: "vision", messageId: "m-1", body, sentAtMs: monday });
      expect(again).toMatchObject({ kind: "rejected" });
      expect(world.lane.waiting, call).toEqual(["gpu"]);
      expect(jobs(world)).toEqual(["a queued"]);
    }
  });

  test("the same message is one job even if it would be rejected now that prices are known", async () => {
    const world = aWorld();
    world.ledger.table.catalogues.clear();
    await world.submit("a", { gpus: 8 });
    world.ledger.table.catalogues.set("gpu", aCatalogue());
    await world.submit("a", { gpus: 8 });
    expect(jobs(world)).toEqual(["a queued"]);
  });

  test("the same rejected message twice is one rejection", async () => {
    const world = aWorld();
    for (const _time of [1, 2]) expect(await send(world, "not JSON")).toMatchObject({ kind: "rejected", job: { job: "m-1" } });
    expect(jobs(world)).toEqual(["m-1 rejected"]);
  });
});

test("another body with a used id is rejected under the message's id, and the first job stays", async () => {
  const world = aWorld();
  await world.submit("a");
  const second = await world.submit("a", { vcpus: 4 });
  expect(second).toMatchObject({
    kind: "rejected",
    job: { job: "message-of-a", reason: expect.stringContaining("the id a already names another job of team vision") },
  });
  expect(jobs(world)).toEqual(["a queued", "message-of-a rejected"]);
  expect(world.job("a")).toMatchObject({ spec: { vcpus: 2 } });
});

test("an invalid message that names an existing job is rejected under the message's id", async () => {
  const world = aWorld();
  await world.submit("a");
  expect(await send(world, '{"id":"a","command":["x"],"gpu":1}')).toMatchObject({ kind: "rejected", job: { job: "m-1" } });
  expect(jobs(world)).toEqual(["a queued", "m-1 rejected"]);
});

describe("a rejected message", () => {
  const large = JSON.stringify({ command: ["x"], env: { A: "x".repeat(33 * 1024) } });
  test.each([
    ["text that is not JSON", "{command: x}", "m-1", /^the message is not JSON: /],
    ["text that is not JSON, which is not quoted", '{"env": {"TOKEN": hunter2}}', "m-1", /^the message is not JSON: Unexpected token 'h'$/],
    ["more than 32 KiB", large, "m-1", /^the message has 33\d\d\d bytes and 32768 are allowed; put data on S3/],
    ["a body of 1 MiB", "x".repeat(1024 * 1024), "m-1", /^the message has 1048576 bytes/],
    ["an unknown field", '{"id":"a","command":["x"],"gpu":1}', "a", /^there is no field "gpu"; did you mean "gpus"\?$/],
    ["no command", '{"id":"a"}', "a", /^command: say what to run/],
    ["an invalid id", '{"id":"../a","command":["x"]}', "m-1", /^id: an id is/],
    ["an unknown pool", '{"id":"a","command":["x"],"pool":"moon"}', "a", /^team vision has no pool named moon; it can use: gpu$/],
    ["9 GPUs of a type that has 1", '{"command":["x"],"gpus":9}', "m-1", /^no instance type of pool gpu has 9 GPUs; the largest/],
    ["a container in a pool without containers", '{"image":"pytorch"}', "m-1", /^pool gpu runs plain programs, not containers/],
  ])("a message is rejected with the reason: %s", async (_what, body, job, reason) => {
    const world = aWorld({ pool: aPool({ containers: false }) });
    expect(await send(world, body)).toMatchObject({
      kind: "rejected",
      job: { job, state: "rejected", reason: expect.stringMatching(reason) },
    });
    expect(jobs(world)).toEqual([`${job} rejected`]);
    expect(world.lane.waiting).toEqual([]);
    expect(world.ledger.table.queueOf("gpu")).toEqual([]);
  });
});

test("a byte order mark at the beginning of a message makes no difference", async () => {
  const world = aWorld();
  expect(await send(world, '\uFEFF{"id":"a","command":["x"]}')).toMatchObject({ kind: "queued", job: { job: "a" } });
});

test("the size of a message is counted in bytes, not in letters", async () => {
  const world = aWorld();
  const body = JSON.stringify({ command: ["x"], env: { A: "ä".repeat(16_300), B: "ä".repeat(200) } });
  expect(body.length).toBeLessThan(32 * 1024);
  expect(await send(world, body)).toMatchObject({ kind: "rejected" });
});

test("a job is accepted although the pool's prices are not known yet", async () => {
  const world = aWorld();
  world.ledger.table.catalogues.clear();
  expect(await world.submit("a")).toMatchObject({ kind: "queued" });
});

test("a thousand jobs ring, and one message wakes the pool once", async () => {
  const world = aWorld();
  for (let n = 0; n < 20; n += 1) await world.submit(`job-${n}`);
  expect(world.ledger.table.pool("gpu").bell).toBe(20);
  expect(world.lane.waiting).toEqual(["gpu"]);
});

test("a job that was accepted before prices were known and is rejected now rings its pool, because it waits and the pool must end it", async () => {
  const world = aWorld();
  const catalogue = world.ledger.table.catalogues.get(world.pool.name);
  world.ledger.table.catalogues.delete(world.pool.name);
  world.ledger.wire.failBefore("bell.ring");
  await expect(world.submit("huge", { gpus: 8 })).rejects.toThrow();
  if (catalogue) world.ledger.table.catalogues.set(world.pool.name, catalogue);
  await world.submit("huge", { gpus: 8 });
  await world.workOff();
  expect(world.job("huge")?.state).toBe("failed");
});

test.each([
  [10, /^(?:[^;]+; ){9}[^;]+$/],
  [11, /^(?:[^;]+; ){10}and 1 more$/],
])("the reason of a message with %i faults names at most ten", async (count, reason) => {
  const world = aWorld();
  const env = Object.fromEntries(Array.from({ length: count }, (_, n) => [`N${n}`, 0]));
  await world.submit("a", { env });
  expect(world.job("a")?.reason).toMatch(reason);
});
