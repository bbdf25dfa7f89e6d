import { afterEach, describe, expect, it } from "vitest";
import { problems } from "../../../lib/cli/commands/problems.ts";
import { redrive } from "../../../lib/cli/commands/redrive.ts";
import { aDeadQueueView, aLetter, aPoolView, at } from "./api-samples.ts";
import { aContext, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());

const uploads = aDeadQueueView({
  count: 150,
  letters: [
    { ...aLetter, error: "denied" },
    { letter: "m-2", sentAt: at(60), received: 5 },
  ],
});
const shards = aDeadQueueView({ queue: "shards", deadQueue: "fleetwright-dead-shards", function: "fleetwright-rebalance-shards" });
const wakes = aDeadQueueView({
  queue: "lane",
  deadQueue: "fleetwright-dead-lane.fifo",
  function: "fleetwright-place",
  count: 2,
  remedy: "delete",
  because: "the tick wakes pools",
});
const empty = aDeadQueueView({ queue: "jobs-vision", deadQueue: "fleetwright-dead-jobs-vision", count: 0, letters: [] });
const items = [empty, uploads, shards, wakes];

const start = async (routes: Routes = {}) => {
  api = await startFakeApi({ "GET /v1/dead-letters": { body: { items } }, ...routes });
  return aContext(api);
};
const posts = (): readonly string[] =>
  api.calls.filter(({ method }) => method === "POST").map(({ path }) => path.slice("/v1/dead-letters/".length));
const handled = (over: object = {}) => ({ body: { queue: "seal", done: 1, failures: [], more: false, ...over } });

describe("fleet problems", () => {
  it("fleet problems has a line per queue with dead letters, which says what they are about and what to do next, and exits with 1", async () => {
    const { on, printed } = await start({ "GET /v1/pools": { body: { items: [aPoolView({ unreadable: [] })] } } });
    const wide = { ...on, console: { ...on.console, width: 200 } };
    expect(await problems({}, wide)).toBe(1);
    const [title, seal, ...more] = printed.out.slice(2, -2);
    expect(title).toMatch(/^QUEUE +LETTERS +OLDEST +ABOUT +NEXT$/);
    expect(seal).toMatch(/^seal +150 +1 h +attempt research\/train-7, attempt 1 \(denied\); \?; 148 more +.*redrive seal$/);
    expect(more.map((line) => line.split(" ")[0])).toEqual(["shards", "lane"]);
    expect(more[1]).toMatch(/redrive lane --delete$/);
    expect(printed.note[0]).toContain(
      "/aws/lambda/fleetwright-seal-artifact, /aws/lambda/fleetwright-rebalance-shards, /aws/lambda/fleetwright-place",
    );
    expect(await problems({ json: true }, on)).toBe(1);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({
      unreadable: [],
      deadLetters: [uploads, shards, wakes],
      failing: [],
      waiting: [],
    });
  });
});

describe("fleet redrive", () => {
  it("without a queue, letters of every queue that is worth it are sent back, in as many calls as they need, and no others", async () => {
    const { on, printed } = await start({
      "POST /v1/dead-letters/seal/redrive": [handled({ done: 100, more: true }), handled({ done: 50 })],
      "POST /v1/dead-letters/shards/redrive": handled({ queue: "shards" }),
    });
    expect(await redrive(undefined, {}, on)).toBe(0);
    expect(posts()).toEqual(["seal/redrive", "seal/redrive", "shards/redrive"]);
    expect(printed.out).toEqual(["seal: 150 letters sent back", "shards: 1 letter sent back"]);
  });

  it("the number of calls is bounded, although letters return while it works, and the exit code says that some are left", async () => {
    const { on, printed } = await start({ "POST /v1/dead-letters/seal/redrive": handled({ done: 100, more: true }) });
    expect(await redrive("seal", {}, on)).toBe(1);
    expect(posts()).toHaveLength(3);
    expect(printed.out).toEqual(["seal: 300 letters sent back, and some are left"]);
  });

  it.each(["shards", "fleetwright-dead-shards"])("the queue can be called %s", async (name) => {
    const { on } = await start({ "POST /v1/dead-letters/shards/redrive": handled({ queue: "shards" }) });
    expect(await redrive(name, {}, on)).toBe(0);
    expect(posts()).toEqual(["shards/redrive"]);
  });

  it("failures are named with what the letters are about, and the exit code is 1", async () => {
    const failures = [
      { letter: "m-1", subject: aLetter.subject, outcome: "failed", because: "denied" },
      { letter: "m-2", outcome: "repeated", because: "throttled" },
    ];
    const { on, printed } = await start({ "POST /v1/dead-letters/shards/redrive": handled({ queue: "shards", failures }) });
    expect(await redrive("shards", {}, on)).toBe(1);
    expect(printed.out).toEqual(["shards: 1 letter sent back, 2 failures"]);
    expect(printed.note).toEqual([
      "fleet: shards: attempt research/train-7, attempt 1: denied",
      "fleet: shards: letter m-2: throttled (it was sent back, and is still a dead letter)",
      "run the same command again in a minute to continue with the letters that are left",
    ]);
    expect(await redrive("shards", { json: true }, on)).toBe(1);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({ queues: [{ queue: "shards", done: 1, failures, left: false }] });
  });

  it("--dry-run lists the letters and changes nothing", async () => {
    const { on, printed } = await start();
    expect(await redrive(undefined, { dryRun: true }, on)).toBe(0);
    expect(printed.out.map((line) => line.split(" ")[0])).toEqual(["QUEUE", "seal", "shards"]);
    expect(await redrive(undefined, { dryRun: true, delete: true, json: true }, on)).toBe(0);
    expect(JSON.parse(printed.out.at(-1) ?? "")).toEqual({ wouldDelete: [wakes] });
    expect(posts()).toEqual([]);
  });

  it("nothing is called if there are no letters", async () => {
    const { on, printed } = await start();
    expect(await redrive("jobs-vision", {}, on)).toBe(0);
    expect(await redrive("jobs-vision", { json: true }, on)).toBe(0);
    expect(printed.out).toEqual(["there are no letters to send back", '{"queues":[]}']);
    expect(posts()).toEqual([]);
  });

  it("outdated letters are deleted only with --delete, and only after a question", async () => {
    const { on, printed } = await start({ "POST /v1/dead-letters/lane/delete": handled({ queue: "lane", done: 2 }) });
    await expect(redrive("lane", {}, on)).rejects.toThrow(
      /letters of lane are outdated: the tick wakes pools; delete them with: .*redrive lane --delete$/,
    );
    await expect(redrive("lane", { delete: true }, on)).rejects.toThrow(
      "2 outdated letters of lane would be deleted; add --yes to delete them",
    );
    const asked: string[] = [];
    const confirm = async (question: string) => asked.push(question) > 1;
    expect(await redrive("lane", { delete: true }, { ...on, confirm })).toBe(1);
    expect(posts()).toEqual([]);
    expect(await redrive("lane", { delete: true }, { ...on, confirm })).toBe(0);
    expect(asked[0]).toBe("delete 2 outdated letters of lane?");
    expect(await redrive(undefined, { delete: true, yes: true }, on)).toBe(0);
    expect(posts()).toEqual(["lane/delete", "lane/delete"]);
    expect(printed.out).toEqual(["lane: 2 letters deleted", "lane: 2 letters deleted"]);
  });

  it("letters are neither deleted nor sent back if that would be wrong, and the message says what to do", async () => {
    const { on } = await start();
    await expect(redrive("seal", { delete: true, yes: true }, on)).rejects.toThrow(
      /must not be deleted: sealing twice is harmless; send them back/,
    );
    await expect(redrive("lane", {}, on)).rejects.toThrow(/are outdated: the tick wakes pools; delete them with/);
    await expect(redrive("moon", {}, on)).rejects.toThrow("there is no queue moon; there are: jobs-vision, seal, shards, lane");
    expect(posts()).toEqual([]);
  });

  it("a caller who is not an admin gets an error that says so", async () => {
    const { on } = await start({ "GET /v1/dead-letters": problem(403, "denied", "Only an admin may see dead letters and handle them.") });
    await expect(redrive(undefined, {}, on)).rejects.toMatchObject({ code: "denied" });
  });
});
