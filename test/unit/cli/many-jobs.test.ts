import { afterEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Confirm, cancelMany } from "../../../lib/cli/commands/jobs/cancel-many.ts";
import { jobs } from "../../../lib/cli/commands/jobs/jobs.ts";
import { filterOf } from "../../../lib/cli/jobs/job-filter.ts";
import { monday } from "../../fakes/builders.ts";
import { aJobSummary } from "./api-samples.ts";
import { aContext, type Called, type FakeApi, type FakeResponse, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());
const start = async (routes: Routes) => {
  api = await startFakeApi(routes);
  return aContext(api);
};
const team = "research";
const path = `/v1/teams/${team}/jobs`;

const Query = z.object({ limit: z.coerce.number(), cursor: z.coerce.number().default(0) });
/** Returns this many jobs, page by page, as the API lists them. */
const listing =
  (total: number, more: object = {}) =>
  ({ query }: Called): FakeResponse => {
    const { limit, cursor } = Query.parse(query);
    const items = Array.from({ length: Math.min(limit, total - cursor) }, (_, n) => aJobSummary({ job: `job-${cursor + n}`, ...more }));
    const next = cursor + items.length;
    return { body: { items, ...(next < total ? { cursor: `${next}` } : {}) } };
  };
const Cancel = z.object({ jobs: z.array(z.string()), states: z.array(z.string()).optional(), reason: z.string().optional() });
const cancelled = ({ body }: Called): FakeResponse => ({
  body: { items: Cancel.parse(body).jobs.map((job) => ({ job, outcome: "cancelled" })) },
});
const queued = { state: "queued", node: undefined, startedAt: undefined };

describe("fleet jobs", () => {
  it("fleet jobs lists jobs page by page up to the limit, as one table", async () => {
    const { on, printed } = await start({ [`GET ${path}`]: listing(2_500) });
    expect(await jobs({ team, limit: 2_200 }, on)).toBe(0);
    expect(printed.out).toHaveLength(2_201);
    expect(printed.out[0]).toMatch(/^ID +STATE/);
    expect(printed.out[2_200]).toMatch(/^job-2199 +running/);
    expect(api.calls.map(({ query }) => query["limit"])).toEqual(["1000", "1000", "200"]);
    expect(printed.note).toEqual(["there are more: raise --limit, or continue with --cursor 2200"]);
  });

  it("fleet jobs --json prints one JSON object, however many pages it reads", async () => {
    const { on, printed } = await start({ [`GET ${path}`]: listing(1_700) });
    expect(await jobs({ team, limit: 5_000, json: true }, on)).toBe(0);
    expect(printed.out).toHaveLength(1);
    const { jobs: all, cursor } = JSON.parse(printed.out[0] ?? "");
    expect(all).toHaveLength(1_700);
    expect(cursor).toBeNull();
  });

  it("fleet jobs continues with the next page after a short or empty one", async () => {
    const pages: FakeResponse[] = [
      { body: { items: [], cursor: "1" } },
      { body: { items: [aJobSummary({ job: "a" })], cursor: "2" } },
      { body: { items: [] } },
    ];
    const { on, printed } = await start({ [`GET ${path}`]: pages });
    await jobs({ team, limit: 10, name: "a*" }, on);
    expect(printed.out).toHaveLength(2);
  });

  it("fleet jobs filters by states, name, pool and time", async () => {
    const { on, printed } = await start({ [`GET ${path}`]: { body: { items: [] } } });
    const options = { state: "queued,running", name: "sweep-*", pool: "gpu", since: "2h", before: "2026-06-01T00:30:00Z" };
    await jobs({ team, limit: 10, ...options }, on);
    expect(api.calls[0]?.query).toEqual({
      state: "queued,running",
      name: "sweep-*",
      pool: "gpu",
      since: "2026-05-31T23:00:00.000Z",
      before: "2026-06-01T00:30:00.000Z",
      limit: "10",
    });
    expect(printed.out).toEqual(["team research has no queued or running jobs that match"]);
  });

  it.each([
    [{ state: "queued,gone" }, /no state gone; there are: rejected, queued/],
    [{ name: "a b" }, /--name a b: a pattern may contain the characters of ids/],
    [{ since: "soon" }, /--since soon: expected how long ago/],
    [{ before: "1" + "x" }, /--before 1x: expected how long ago/],
  ])("fleet jobs refuses an invalid filter before it calls the API: %j", (options, message) => {
    expect(() => filterOf(options, monday)).toThrow(message);
  });
});

describe("fleet cancel --state", () => {
  const many = (options: object, confirm?: Confirm) => (on: Parameters<typeof cancelMany>[1]) =>
    cancelMany({ team, state: "queued", ...options }, { ...on, confirm });

  it("fleet cancel --state queued cancels all waiting jobs, a hundred per call, and prints how many", async () => {
    const { on, printed } = await start({ [`GET ${path}`]: listing(2_030, queued), [`POST ${path}/cancel`]: cancelled });
    expect(await many({ name: "job-*", reason: "wrong data" })(on)).toBe(0);
    const calls = api.calls.filter(({ method }) => method === "POST").map(({ body }) => Cancel.parse(body));
    expect(calls).toHaveLength(21);
    expect(new Set(calls.flatMap((call) => call.jobs)).size).toBe(2_030);
    expect(calls[0]).toMatchObject({ states: ["queued"], reason: "wrong data" });
    expect(api.calls[0]?.query).toMatchObject({ state: "queued", name: "job-*" });
    expect(printed.out).toEqual(["2030 jobs of team research cancelled"]);
  });

  it("fleet cancel --state retries jobs that failed, names those that cannot be cancelled, cancels the others, and exits with 1", async () => {
    const outcomes = ({ body }: Called): FakeResponse => ({
      body: {
        items: Cancel.parse(body).jobs.map((job) =>
          job === "job-7"
            ? { job, outcome: "failed", because: "the table was too busy" }
            : job === "job-8"
              ? { job, outcome: "ended", state: "succeeded" }
              : job === "job-9"
                ? { job, outcome: "spared", state: "running" }
                : { job, outcome: "cancelled" },
        ),
      },
    });
    const { on, printed } = await start({ [`GET ${path}`]: listing(10, queued), [`POST ${path}/cancel`]: outcomes });
    expect(await many({})(on)).toBe(1);
    expect(printed.out).toEqual([
      "7 jobs of team research cancelled, 1 ended meanwhile, 1 changed state meanwhile and were not cancelled, 1 could not be cancelled",
    ]);
    expect(printed.note).toEqual(["fleet: job-7: the table was too busy", expect.stringMatching(/run the same command again/)]);
    expect(api.calls.filter(({ method }) => method === "POST")).toHaveLength(3);
    expect(await many({ json: true })(on)).toBe(1);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toMatchObject({ failed: [{ job: "job-7" }], ended: ["job-8"], spared: ["job-9"] });
  });

  it("fleet cancel --state cancels the other jobs if one call keeps failing", async () => {
    const { on, printed } = await start({
      [`GET ${path}`]: listing(250, queued),
      [`POST ${path}/cancel`]: (call) =>
        Cancel.parse(call.body).jobs.includes("job-150") ? problem(503, "busy", "This could not be done just now.") : cancelled(call),
    });
    expect(await many({})(on)).toBe(1);
    expect(printed.out).toEqual(["150 jobs of team research cancelled, 100 could not be cancelled"]);
  });

  it("fleet cancel --state asks before it cancels running jobs, and needs --yes without a terminal", async () => {
    const routes = { [`GET ${path}`]: listing(3), [`POST ${path}/cancel`]: cancelled };
    const { on, printed } = await start(routes);
    await expect(many({ state: "all" })(on)).rejects.toThrow(/^3 jobs, 3 of them on nodes, would be cancelled.*add --yes/);
    const questions: string[] = [];
    const say = (answer: boolean) => async (question: string) => {
      questions.push(question);
      return answer;
    };
    expect(await many({ state: "running" }, say(false))(on)).toBe(1);
    expect(api.calls.filter(({ method }) => method === "POST")).toEqual([]);
    expect(await many({ state: "running" }, say(true))(on)).toBe(0);
    expect(await many({ state: "all", yes: true })(on)).toBe(0);
    expect(questions).toEqual(Array.from({ length: 2 }, () => "cancel 3 jobs, 3 of them on nodes? Running work will be lost."));
    expect(printed.out).toHaveLength(2);
    expect(api.calls.at(-1)?.body).toMatchObject({ states: ["queued", "placed", "running", "sealing"] });
  });

  it("fleet cancel --dry-run lists what would be cancelled, and cancels nothing", async () => {
    const { on, printed } = await start({ [`GET ${path}`]: listing(3) });
    expect(await many({ state: "all", dryRun: true })(on)).toBe(0);
    expect(printed.out).toHaveLength(4);
    expect(printed.note).toEqual(["3 jobs would be cancelled; nothing was changed"]);
    expect(await many({ state: "all", dryRun: true, json: true })(on)).toBe(0);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({ team, wouldCancel: ["job-0", "job-1", "job-2"] });
    expect(api.calls.every(({ method }) => method === "GET")).toBe(true);
  });

  it("fleet cancel --state stops if access is denied, and does nothing if no job matches", async () => {
    const { on, printed } = await start({
      [`GET ${path}`]: listing(300, queued),
      [`POST ${path}/cancel`]: problem(403, "denied", "You may not."),
    });
    await expect(many({})(on)).rejects.toMatchObject({ code: "denied" });
    expect(api.calls.filter(({ method }) => method === "POST")).toHaveLength(1);
    await expect(many({ state: "ended" })(on)).rejects.toThrow(/--state ended: expected queued, running/);
    await api.close();
    const none = await start({ [`GET ${path}`]: { body: { items: [] } } });
    expect(await many({})(none.on)).toBe(0);
    expect(none.printed.out).toEqual(["no jobs of team research cancelled"]);
    expect(printed.out).toEqual([]);
  });

  it("a purge asks before it ends jobs that only wait, and ends none if the answer is no", async () => {
    const questions: string[] = [];
    const asks =
      (reply: boolean): Confirm =>
      async (question) => {
        questions.push(question);
        return reply;
      };
    const { on, printed } = await start({ [`GET ${path}`]: listing(3, queued), [`POST ${path}/cancel`]: cancelled });
    const purge = { team, state: "queued", asksAlways: true };
    expect(await cancelMany(purge, { ...on, confirm: asks(false) })).toBe(1);
    expect(questions).toEqual(["cancel 3 waiting jobs?"]);
    expect(api.calls.filter(({ method }) => method === "POST")).toEqual([]);
    await expect(cancelMany(purge, on)).rejects.toThrow("3 waiting jobs would be cancelled; add --yes to cancel them");
    expect(await cancelMany(purge, { ...on, confirm: asks(true) })).toBe(0);
    expect(await cancelMany({ ...purge, yes: true }, on)).toBe(0);
    expect(printed.out).toEqual(["3 jobs of team research cancelled", "3 jobs of team research cancelled"]);
  });
});
