import { describe, expect, test } from "vitest";
import * as z from "zod";
import { CancelledJobs, CheckedJobs, JobPage } from "../../../lib/api/views/jobs.ts";
import { LogPage } from "../../../lib/api/views/logs.ts";
import { ProblemView } from "../../../lib/api/views/problem.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { aJob, aSpec, monday } from "../../fakes/builders.ts";
import { ApiWorld, nodeId } from "./api-world.ts";

const jobs = "/v1/teams/vision/jobs";
const submit = (world: ApiWorld, body: unknown) => world.fetch(jobs, { method: "POST", body });

describe("submitting a job", () => {
  test("a submitted job is queued and its pool is woken", async () => {
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

  test("a job without an id gets the request's id", async () => {
    const world = new ApiWorld();
    const { body } = await submit(world, { command: ["x"] });
    expect(body).toMatchObject({ job: "00000000-0000-4000-8000-000000000001" });
  });

  test("submitting the same job again returns its current state", async () => {
    const world = new ApiWorld();
    await submit(world, { id: "a", command: ["x"] });
    world.ledger.table.putJob({ ...aJob(), ...world.job("a"), state: "running", node: "i-1" });
    const { status, body } = await submit(world, { command: ["x"], id: "a" });
    expect(status).toBe(200);
    expect(body).toMatchObject({ job: "a", state: "running", node: "i-1" });
  });

  test("submitting another job with a used id is a conflict and does not change the first job", async () => {
    const world = new ApiWorld();
    const { status, body } = await submit(world, { id: "done", command: ["y"] });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "conflict", detail: expect.stringContaining("the id done already names another job") });
    expect(world.job("done")).toMatchObject({ state: "succeeded" });
  });

  test("a job that cannot run is rejected with the reason and recorded", async () => {
    const world = new ApiWorld();
    const { body } = await submit(world, { id: "big", command: ["x"], gpus: 9 });
    expect(body).toMatchObject({ status: 422, code: "rejected", detail: expect.stringContaining("9 GPUs"), job: "big" });
    expect(world.job("big")).toMatchObject({ state: "rejected" });
  });

  test("a malformed job is refused with an error per field and is not recorded", async () => {
    const world = new ApiWorld();
    const { body } = await submit(world, { id: "bad", command: ["x"], gpus: -1, env: { "1": "x" } });
    expect(body).toMatchObject({ status: 400, code: "invalid" });
    const { errors } = z.object({ errors: z.array(z.object({ field: z.string(), message: z.string() })) }).parse(body);
    expect(errors.map(({ field }) => field).toSorted()).toEqual(["env.1", "gpus"]);
    expect(world.job("bad")).toBeUndefined();
  });

  test("a job with thousands of mistakes or deep nesting gets a short response", async () => {
    const world = new ApiWorld();
    const env = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`${n}`, 0]));
    const deep = `{"command":["x"],"x":${"[".repeat(14_000)}${"]".repeat(14_000)}}`;
    for (const body of [{ command: ["x"], env }, deep, `${"[".repeat(14_000)}${"]".repeat(14_000)}`]) {
      const response = await submit(world, body);
      expect(response.status).toBe(400);
      expect(JSON.stringify(response.body).length).toBeLessThan(10_000);
    }
  });
});

test("the list of jobs contains all jobs of the team and no others, newest first", async () => {
  const world = new ApiWorld();
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await world.fetch(`${jobs}?limit=2${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    const page = JobPage.parse(body);
    found.push(...page.items.map(({ job }) => job));
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(found).toEqual(["refused", "done", "runs", "waits"]);
  expect((await world.fetch(`${jobs}?state=running`)).body).toMatchObject({ items: [{ job: "runs" }] });
});

describe("cancelling a job", () => {
  test("a cancelled job has the first reason, its pool is woken, and cancelling it again changes nothing", async () => {
    const world = new ApiWorld();
    for (const reason of ["too dear", "really"]) {
      const { status, body } = await world.fetch(`${jobs}/waits/cancel`, { method: "POST", body: { reason } });
      expect(status).toBe(200);
      expect(body).toMatchObject({ job: "waits", state: "cancelled", reason: "too dear", endedAt: "2026-06-01T01:00:00.000Z" });
    }
    expect(world.lane.waiting).toEqual(["gpu"]);
    expect(world.ledger.table.queueOf("gpu")).toEqual([]);
  });

  test("cancelling an ended job is a conflict", async () => {
    const world = new ApiWorld();
    const { body } = await world.fetch(`${jobs}/done/cancel`, { method: "POST" });
    expect(body).toMatchObject({ status: 409, detail: "The job has already ended: it is succeeded." });
  });
});

describe("checking jobs before they are submitted", () => {
  const check = async (world: ApiWorld, ...messages: unknown[]) =>
    CheckedJobs.parse((await world.fetch(`${jobs}/check`, { method: "POST", body: { jobs: messages } })).body).items;

  test("checking jobs returns the same reasons as submitting them and writes nothing", async () => {
    const world = new ApiWorld();
    const messages = [
      { command: ["x"], gpus: 9 },
      { command: ["x"], gpus: { count: 1, models: ["H100"] } },
      { image: "pytorch", env: { KEY: "two\nlines" } },
      { command: ["x"], datasets: ["nothing"] },
      { command: ["x"], pool: "moon" },
      { id: "done", command: ["another"] },
    ];
    const before = world.ledger.table.jobs.size;
    const verdicts = await check(world, ...messages);
    expect(world.ledger.table.jobs.size).toBe(before);
    expect(world.lane.waiting).toEqual([]);
    for (const [index, body] of messages.entries()) {
      const { detail } = ProblemView.parse((await submit(world, body)).body);
      expect(verdicts[index]).toEqual({ accepted: false, because: detail });
    }
  });

  test("checking jobs returns the pool of each good job and the mistake of each malformed one", async () => {
    const verdicts = await check(new ApiWorld(), { command: ["x"] }, { command: "x" }, null, { command: ["a\0b"] }, { image: "Org/X:1/" });
    expect(verdicts).toEqual([
      { accepted: true, pool: "gpu" },
      { accepted: false, because: "command: expected a list, but got a text of 1 character" },
      { accepted: false, because: "expected an object, but got null" },
      { accepted: false, because: "command.0: contains a NUL byte, which cannot be passed to a program" },
      { accepted: false, because: expect.stringMatching(/^image: "Org\/X:1\/" is not the name of a container image/) },
    ]);
  });

  test("checking jobs that were submitted before accepts them unless they were rejected", async () => {
    const world = new ApiWorld();
    await submit(world, { id: "a", command: ["x"] });
    await submit(world, { id: "big", command: ["x"], gpus: 8 });
    world.ledger.table.catalogues.clear();
    const written = { id: "a", command: ["x"], gpus: 1, spot: true, datasets: [] };
    expect(await check(world, { id: "a", command: ["x"] }, written, { id: "big", command: ["x"], gpus: 8 })).toEqual([
      { accepted: true, pool: "gpu" },
      { accepted: true, pool: "gpu" },
      { accepted: false, because: expect.stringMatching(/^the id big names a job of team vision that was rejected \(no instance type/) },
    ]);
  });

  test("checking many jobs reads each pool's catalogue only once", async () => {
    const world = new ApiWorld();
    const message = { command: ["x"], datasets: ["cats"] };
    await check(world, ...Array.from({ length: 100 }, (_, n) => ({ ...message, id: `job-${n}` })));
    expect(world.ledger.wire.calls).toMatchObject({ "catalogues.get": 1, "jobLookup.find": 1 });
  });

  test("checking a deeply nested job returns a short response", async () => {
    const deep = `${"[".repeat(14_000)}${"]".repeat(14_000)}`;
    const { status, body } = await new ApiWorld().fetch(`${jobs}/check`, { method: "POST", body: `{"jobs":[${deep}]}` });
    expect(status).toBe(200);
    expect(JSON.stringify(body).length).toBeLessThan(1_000);
  });
});

test("one call cancels many jobs with an outcome each and rings each pool once", async () => {
  const world = new ApiWorld();
  for (let n = 0; n < 40; n += 1) await submit(world, { id: `job-${n}`, command: ["x"] });
  const rings = world.ledger.table.pool("gpu").bell;
  const names = [...Array.from({ length: 40 }, (_, n) => `job-${n}`), "runs", "done", "nobody", "secret"];
  const cancel = async (body: object) =>
    CancelledJobs.parse((await world.fetch(`${jobs}/cancel`, { method: "POST", body })).body).items.map(({ job, ...rest }) => [job, rest]);
  const first = Object.fromEntries(await cancel({ jobs: names, states: ["queued"], reason: "wrong data" }));
  expect(first["job-39"]).toEqual({ outcome: "cancelled" });
  expect(first["runs"]).toEqual({ outcome: "spared", state: "running" });
  expect(first["done"]).toEqual({ outcome: "ended", state: "succeeded" });
  expect(first["nobody"]).toEqual({ outcome: "unknown" });
  expect(first["secret"]).toEqual({ outcome: "unknown" });
  expect(world.job("job-0")).toMatchObject({ state: "cancelled", reason: "wrong data" });
  expect(world.ledger.table.pool("gpu").bell).toBe(rings + 1);
  expect(Object.fromEntries(await cancel({ jobs: ["job-0", "runs"] }))).toEqual({
    "job-0": { outcome: "same" },
    runs: { outcome: "cancelled" },
  });
});

test("the list of jobs can be filtered by state, name, pool and time", async () => {
  const world = new ApiWorld();
  const names = async (query: string) => JobPage.parse((await world.fetch(`${jobs}?${query}`)).body).items.map(({ job }) => job);
  expect(await names("state=queued,running")).toEqual(["runs", "waits"]);
  expect(await names("name=r*")).toEqual(["refused", "runs"]);
  expect(await names("name=?????&pool=gpu")).toEqual(["waits"]);
  expect(await names("pool=lab")).toEqual([]);
  expect(await names("since=2026-06-01T00:00:00.003Z")).toEqual(["refused", "done"]);
  expect(await names("before=2026-06-01T00:00:00.003Z")).toEqual(["runs", "waits"]);
});

test("following a log returns each line once, with the job's state", async () => {
  const world = new ApiWorld();
  const attempt = { team: "vision", job: "runs", attempt: 2 };
  const read = async (cursor: string | undefined): Promise<LogPage> =>
    LogPage.parse((await world.fetch(`${jobs}/runs/logs?limit=2${cursor === undefined ? "" : `&cursor=${cursor}`}`)).body);
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

test("reading a log can begin with the newest lines or at a given time", async () => {
  const world = new ApiWorld();
  const read = async (query: string): Promise<LogPage> => LogPage.parse((await world.fetch(`${jobs}/runs/logs?${query}`)).body);
  const tail = await read("tail=2&limit=1");
  expect(tail.lines).toMatchObject([{ text: "two" }, { text: "three" }]);
  world.logs.write({ team: "vision", job: "runs", attempt: 2 }, { atMs: monday + 50, text: "50%", unfinished: true });
  expect((await read(`tail=2&cursor=${tail.cursor}`)).lines).toEqual([{ at: "2026-06-01T00:00:00.050Z", text: "50%", unfinished: true }]);
  expect((await read("since=2026-06-01T00:00:00.002Z")).lines).toMatchObject([{ text: "three" }, { text: "50%" }]);
});

test("each member of a gang has its own log", async () => {
  const world = new ApiWorld();
  world.ledger.table.putJob(aJob({ job: "gang", state: "running", spec: aSpec({ nodes: 2 }), reason: "all four wheels turn" }));
  const attempt = { team: "vision", job: "gang", attempt: 1 };
  world.logs.write(attempt, { atMs: monday, text: "first" });
  world.logs.write({ ...attempt, rank: 1 }, { atMs: monday, text: "second" });
  const [first, second, none] = await Promise.all(["", "?rank=1", "?rank=2"].map((query) => world.fetch(`${jobs}/gang/logs${query}`)));
  expect(first?.body).toMatchObject({ members: 2, reason: "all four wheels turn", lines: [{ text: "first" }] });
  expect(second?.body).toMatchObject({ members: 2, lines: [{ text: "second" }] });
  expect(none?.body).toMatchObject({ status: 404, detail: "The job gang has no member of rank 2; its last one is 1." });
});

test("times outside the calendar are clamped to its limits", async () => {
  const world = new ApiWorld();
  world.ledger.table.putJob(aJob({ job: "odd", state: "running", startedAtMs: 9e15, endedAtMs: -1 }));
  expect((await world.fetch(`${jobs}/odd`)).body).toMatchObject({
    startedAt: "9999-12-31T23:59:59.999Z",
    endedAt: "1970-01-01T00:00:00.000Z",
  });
});

test("a job that could not be cancelled among many is reported with the reason, and the log has the error itself", async () => {
  const error = new FleetError("table-busy", "the table was too busy", { retry: true, cause: new Error("two writers") });
  const cancelAll = async (refs: readonly object[]) => refs.map(() => ({ kind: "failed", error }) as const);
  const { cancellations } = new ApiWorld().deps;
  const world = new ApiWorld({ cancellations: { ...cancellations, cancelAll } });
  const { body } = await world.fetch(`${jobs}/cancel`, { method: "POST", body: { jobs: ["waits"] } });
  expect(body).toEqual({ items: [{ job: "waits", outcome: "failed", because: "the table was too busy" }] });
  expect(world.log).toEqual([
    { level: "error", message: "job not cancelled", team: "vision", job: "waits", error },
    expect.objectContaining({ level: "info", message: "called" }),
  ]);
});

test("a job that does not exist may be among the messages that could not be handled, of which the response gives the number", async () => {
  const world = new ApiWorld();
  const detail = async () => ((await world.fetch(`${jobs}/nothing`)).body as { detail: string }).detail;
  expect(await detail()).toBe("The team vision has no job nothing.");
  world.ports.deadLetters.put("jobs-research", "{}");
  expect(await detail()).toBe("The team vision has no job nothing.");
  world.ports.deadLetters.put("jobs-vision", "{}");
  expect(await detail()).toBe(
    "The team vision has no job nothing. 1 of its messages could not be handled, and one may be about it; an admin can look at the dead letters.",
  );
});

test("a job whose node is silent shows that it waits for EC2's word on it", async () => {
  const world = new ApiWorld();
  const now = world.nowMs;
  world.ledger.table.changeNode("gpu", nodeId(1), { state: "ready", lastSeenMs: now - 10 * 60_000 });
  expect((await world.fetch(`${jobs}/runs`)).body).toMatchObject({
    state: "running",
    reason: expect.stringContaining(`waits for EC2's word on ${nodeId(1)}: its worker has been silent since `),
  });
  world.ledger.table.changeNode("gpu", nodeId(1), { lastSeenMs: now - 10_000 });
  expect((await world.fetch(`${jobs}/runs`)).body).not.toHaveProperty("reason");
});
