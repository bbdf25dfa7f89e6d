import { afterEach, describe, expect, it } from "vitest";
import { follow, logs } from "../../../lib/cli/commands/logs.ts";
import { aJobView, aLogPage, at, lines } from "./api-samples.ts";
import { aContext, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());
const start = async (routes: Routes) => {
  api = await startFakeApi(routes);
  const { on, said } = aContext(api);
  return { on: { ...on, pollMs: 1 }, said };
};
const job = "/v1/teams/research/jobs/train-7";
const team = "research";

describe("logs", () => {
  it("prints every page", async () => {
    const { on, said } = await start({
      [`GET ${job}/logs`]: [
        { body: aLogPage({ lines: lines("one", "two"), cursor: "c1", more: true }) },
        { body: aLogPage({ lines: lines("three"), cursor: "c2" }) },
      ],
    });
    expect(await logs("train-7", { team }, on)).toBe(0);
    expect(said).toEqual({ out: ["one", "two", "three"], note: [] });
    expect(api.calls.map(({ query }) => query["cursor"])).toEqual([undefined, "c1"]);
  });

  it("as JSON, is a list with times", async () => {
    const { on, said } = await start({ [`GET ${job}/logs`]: { body: aLogPage({ lines: lines("one") }) } });
    await logs("train-7", { team, json: true }, on);
    expect(said.out.map((line) => JSON.parse(line))).toEqual([[{ at: at(0), text: "one" }]]);
  });

  it("leaves out what is older than was asked for", async () => {
    const page = aLogPage({ lines: [...lines("old"), { at: at(3_000), text: "new" }] });
    const { on, said } = await start({ [`GET ${job}/logs`]: { body: page } });
    await logs("train-7", { team, since: 900 }, on);
    expect(said.out).toEqual(["new"]);
  });

  it.each([
    ["is running", aLogPage(), aJobView(), /attempt 1 of train-7 has written nothing yet; it is running/],
    ["has ended", aLogPage({ state: "failed" }), aJobView({ state: "failed" }), /has written nothing$/],
    [
      "was rejected",
      aLogPage({ state: "rejected" }),
      aJobView({ state: "rejected", reason: "too large" }),
      /rejected and never ran: too large/,
    ],
  ])("says why there is nothing of one that %s", async (_what, page, view, message) => {
    const { on, said } = await start({ [`GET ${job}/logs`]: { body: page }, [`GET ${job}`]: { body: view } });
    expect(await logs("train-7", { team }, on)).toBe(0);
    expect(said.note.join("\n")).toMatch(message);
  });

  it("tells a job that is not from an attempt that is not", async () => {
    const { on } = await start({
      [`GET ${job}/logs`]: problem(404, "not-found", "no"),
      [`GET ${job}`]: { body: aJobView({ attempt: 2 }) },
    });
    await expect(logs("train-7", { team, attempt: 5 }, on)).rejects.toThrow("train-7 has no attempt 5; its last one is 2");
    await expect(logs("nobody", { team }, on)).rejects.toThrow(/no job nobody .*fleet jobs --team research/);
  });
});

describe("logs -f", () => {
  it("prints what comes, once each, waits for late lines after the end, and says how it ended", async () => {
    const { on, said } = await start({
      [`GET ${job}/logs`]: [
        { body: aLogPage({ state: "queued" }) },
        { body: aLogPage({ lines: lines("one"), cursor: "c1" }) },
        { body: aLogPage({ cursor: "c1" }) },
        { body: aLogPage({ state: "succeeded", cursor: "c1" }) },
        { body: aLogPage({ state: "succeeded", lines: lines("late"), cursor: "c2" }) },
        { body: aLogPage({ state: "succeeded", cursor: "c2" }) },
      ],
      [`GET ${job}`]: { body: aJobView({ state: "succeeded" }) },
    });
    expect(await follow("train-7", { team }, on)).toBe(0);
    expect(said).toEqual({ out: ["one", "late"], note: ["train-7 is queued", "train-7 is running", "train-7 is succeeded"] });
    expect(api.calls.at(-2)?.query).toMatchObject({ attempt: "1", cursor: "c2" });
  });

  it("goes on through later attempts, with a mark between them, and fails with the job", async () => {
    const { on, said } = await start({
      [`GET ${job}/logs`]: ({ query }) =>
        query["attempt"] === "2"
          ? {
              body: aLogPage({ attempt: 2, latestAttempt: 2, state: "failed", lines: query["cursor"] ? [] : lines("second"), cursor: "d" }),
            }
          : { body: aLogPage({ latestAttempt: 2, lines: query["cursor"] ? [] : lines("first"), cursor: "c" }) },
      [`GET ${job}`]: { body: aJobView({ state: "failed", attempt: 2, reason: "exit code 3" }) },
    });
    expect(await follow("train-7", { team, attempt: 1 }, on)).toBe(1);
    expect(said.out).toEqual(["first", "second"]);
    expect(said.note).toEqual(["train-7 is running", "--- attempt 2 ---", "train-7 is failed", "train-7: exit code 3"]);
  });

  it("as JSON, is one object a line, with its attempt", async () => {
    const { on, said } = await start({
      [`GET ${job}/logs`]: [{ body: aLogPage({ state: "cancelled", lines: lines("one") }) }, { body: aLogPage({ state: "cancelled" }) }],
      [`GET ${job}`]: { body: aJobView({ state: "cancelled" }) },
    });
    expect(await follow("train-7", { team, json: true }, on)).toBe(1);
    expect(said.out.map((line) => JSON.parse(line))).toEqual([{ attempt: 1, at: at(0), text: "one" }]);
  });
});
