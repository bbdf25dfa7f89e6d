import { describe, expect, test } from "vitest";
import * as z from "zod";
import { JobPage, LogPage } from "../../../lib/api/views.ts";
import { aJob, aSpec, monday } from "../../fakes/builders.ts";
import { ApiWorld } from "./api-world.ts";

const jobs = "/v1/teams/vision/jobs";
const submit = (world: ApiWorld, body: unknown) => world.call(jobs, { method: "POST", body });

describe("a job that is submitted", () => {
  test("waits, and its pool is woken", async () => {
    const world = new ApiWorld();
    const { status, body } = await submit(world, { id: "a", command: ["x"], env: { A: "1" } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      team: "vision",
      job: "a",
      pool: "gpu",
      state: "queued",
      attempt: 1,
      submittedAt: "2026-06-01T01:00:00.000Z",
      spec: { env: { A: "1" } },
    });
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect(world.job("a")).toMatchObject({ state: "queued" });
  });

  test("is named by the request when it names itself not", async () => {
    const world = new ApiWorld();
    const { body } = await submit(world, { command: ["x"] });
    expect(body).toMatchObject({ job: "00000000-0000-4000-8000-000000000001" });
  });

  test("a second time is the same job, as it is by now", async () => {
    const world = new ApiWorld();
    await submit(world, { id: "a", command: ["x"] });
    world.ledger.table.putJob({ ...aJob(), ...world.job("a"), state: "running", node: "i-1" });
    const { status, body } = await submit(world, { command: ["x"], id: "a" });
    expect(status).toBe(200);
    expect(body).toMatchObject({ job: "a", state: "running", node: "i-1" });
  });

  test("under an id that is in use is a conflict, and the first stays", async () => {
    const world = new ApiWorld();
    const { status, body } = await submit(world, { id: "done", command: ["y"] });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "conflict", detail: expect.stringContaining("the id done already names another job") });
    expect(world.job("done")).toMatchObject({ state: "succeeded" });
  });

  test("and cannot run is refused with the reason, and is on record", async () => {
    const world = new ApiWorld();
    const { body } = await submit(world, { id: "big", command: ["x"], gpus: 9 });
    expect(body).toMatchObject({ status: 422, code: "rejected", detail: expect.stringContaining("9 GPUs"), job: "big" });
    expect(world.job("big")).toMatchObject({ state: "rejected" });
  });

  test("and is not one is told field by field what is wrong, and is not on record", async () => {
    const world = new ApiWorld();
    const { body } = await submit(world, { id: "bad", command: ["x"], gpus: -1, env: { "1": "x" } });
    expect(body).toMatchObject({ status: 400, code: "invalid" });
    const { errors } = z.object({ errors: z.array(z.object({ field: z.string(), message: z.string() })) }).parse(body);
    expect(errors.map(({ field }) => field).toSorted()).toEqual(["env.1", "gpus"]);
    expect(world.job("bad")).toBeUndefined();
  });

  test("with a thousand mistakes, or nested without end, is answered in few words", async () => {
    const world = new ApiWorld();
    const env = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`${n}`, 0]));
    const deep = `{"command":["x"],"x":${"[".repeat(14_000)}${"]".repeat(14_000)}}`;
    for (const body of [{ command: ["x"], env }, deep, `${"[".repeat(14_000)}${"]".repeat(14_000)}`]) {
      const told = await submit(world, body);
      expect(told.status).toBe(400);
      expect(JSON.stringify(told.body).length).toBeLessThan(10_000);
    }
  });
});

test("a list goes through all of a team's jobs, newest first, and nobody else's", async () => {
  const world = new ApiWorld();
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await world.call(`${jobs}?limit=2${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    const page = JobPage.parse(body);
    found.push(...page.items.map(({ job }) => job));
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(found).toEqual(["refused", "done", "runs", "waits"]);
  expect((await world.call(`${jobs}?state=running`)).body).toMatchObject({ items: [{ job: "runs" }] });
});

describe("a job that is cancelled", () => {
  test("says why, and its pool is woken; twice is once", async () => {
    const world = new ApiWorld();
    for (const reason of ["too dear", "really"]) {
      const { status, body } = await world.call(`${jobs}/waits/cancel`, { method: "POST", body: { reason } });
      expect(status).toBe(200);
      expect(body).toMatchObject({ job: "waits", state: "cancelled", reason: "too dear", endedAt: "2026-06-01T01:00:00.000Z" });
    }
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect(world.ledger.table.queueOf("gpu")).toEqual([]);
  });

  test("when it has ended stays as it is", async () => {
    const world = new ApiWorld();
    const { body } = await world.call(`${jobs}/done/cancel`, { method: "POST" });
    expect(body).toMatchObject({ status: 409, detail: "It has ended already: it is succeeded." });
  });
});

test("whoever follows a log gets each line once, and learns how the job stands", async () => {
  const world = new ApiWorld();
  const attempt = { team: "vision", job: "runs", attempt: 2 };
  const read = async (cursor: string | undefined): Promise<LogPage> =>
    LogPage.parse((await world.call(`${jobs}/runs/logs?limit=2${cursor === undefined ? "" : `&cursor=${cursor}`}`)).body);
  const first = await read(undefined);
  expect(first).toMatchObject({
    attempt: 2,
    latestAttempt: 2,
    state: "running",
    more: true,
    lines: [{ at: "2026-06-01T00:00:00.000Z", text: "one" }, { text: "two" }],
  });
  const second = await read(first.cursor);
  expect(second).toMatchObject({ more: false, lines: [{ text: "three" }] });
  expect((await read(second.cursor)).lines).toEqual([]);
  world.logs.write(attempt, { atMs: monday + 50, text: "four" });
  expect((await read(second.cursor)).lines).toMatchObject([{ text: "four" }]);
});

test("a log begins with its newest lines, or at a moment, where that is asked for, and goes on from there", async () => {
  const world = new ApiWorld();
  const read = async (query: string): Promise<LogPage> => LogPage.parse((await world.call(`${jobs}/runs/logs?${query}`)).body);
  const tail = await read("tail=2&limit=1");
  expect(tail.lines).toMatchObject([{ text: "two" }, { text: "three" }]);
  world.logs.write({ team: "vision", job: "runs", attempt: 2 }, { atMs: monday + 50, text: "50%", unfinished: true });
  expect((await read(`tail=2&cursor=${tail.cursor}`)).lines).toEqual([{ at: "2026-06-01T00:00:00.050Z", text: "50%", unfinished: true }]);
  expect((await read("since=2026-06-01T00:00:00.002Z")).lines).toMatchObject([{ text: "three" }, { text: "50%" }]);
});

test("each member of a gang has a log of its own", async () => {
  const world = new ApiWorld();
  world.ledger.table.putJob(aJob({ job: "gang", state: "running", spec: aSpec({ nodes: 2 }), reason: "all four wheels turn" }));
  const attempt = { team: "vision", job: "gang", attempt: 1 };
  world.logs.write(attempt, { atMs: monday, text: "first" });
  world.logs.write({ ...attempt, rank: 1 }, { atMs: monday, text: "second" });
  const [first, second, none] = await Promise.all(["", "?rank=1", "?rank=2"].map((query) => world.call(`${jobs}/gang/logs${query}`)));
  expect(first?.body).toMatchObject({ members: 2, reason: "all four wheels turn", lines: [{ text: "first" }] });
  expect(second?.body).toMatchObject({ members: 2, lines: [{ text: "second" }] });
  expect(none?.body).toMatchObject({ status: 404, detail: "The job gang has no member of rank 2; its last one is 1." });
});

test("times that no calendar has are no trouble", async () => {
  const world = new ApiWorld();
  world.ledger.table.putJob(aJob({ job: "odd", state: "running", startedAtMs: 9e15, endedAtMs: -1 }));
  expect((await world.call(`${jobs}/odd`)).body).toMatchObject({
    startedAt: "9999-12-31T23:59:59.999Z",
    endedAt: "1970-01-01T00:00:00.000Z",
  });
});
