import { afterEach, describe, expect, it } from "vitest";
import { follow } from "../../../lib/cli/commands/jobs/follow-logs.ts";
import { logs } from "../../../lib/cli/commands/jobs/logs.ts";
import { aJobView, aLogPage, anAttemptView, at, lines } from "./api-samples.ts";
import { aContext, type FakeApi, problem, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());
const start = async (routes: Routes) => {
  api = await startFakeApi(routes);
  return aContext(api);
};
const job = "/v1/teams/research/jobs/train-7";
const team = "research";

describe("fleet logs", () => {
  it("fleet logs prints every page", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [
        { body: aLogPage({ lines: lines("one", "two"), cursor: "c1", more: true }) },
        { body: aLogPage({ lines: lines("three"), cursor: "c2" }) },
        { body: aLogPage({ cursor: "c2" }) },
      ],
    });
    expect(await logs("train-7", { team }, on)).toBe(0);
    expect(printed).toEqual({ out: ["one", "two", "three"], note: [] });
    expect(api.calls.map(({ query }) => query["cursor"])).toEqual([undefined, "c1", "c2"]);
  });

  it("fleet logs prints each page before it requests the next", async () => {
    const counts: number[] = [];
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        counts.push(printed.out.length);
        const number = Number(query["cursor"] ?? 0) + 1;
        return {
          body: aLogPage({ lines: number > 3 ? [] : lines(`page ${number}`), cursor: String(Math.min(number, 4)), more: number < 3 }),
        };
      },
    });
    await logs("train-7", { team }, on);
    expect(printed.out).toEqual(["page 1", "page 2", "page 3"]);
    expect(counts).toEqual([0, 1, 2, 3]);
  });

  it("fleet logs continues after a page that is neither full nor the last", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [
        { body: aLogPage({ lines: lines("one"), cursor: "c1", more: false }) },
        { body: aLogPage({ lines: lines("two"), cursor: "c2", more: false }) },
        { body: aLogPage({ cursor: "c2" }) },
      ],
    });
    await logs("train-7", { team }, on);
    expect(printed.out).toEqual(["one", "two"]);
  });

  it("fleet logs makes the API filter by time, and find the newest lines", async () => {
    const { on, printed } = await start({ [`GET ${job}/logs`]: { body: aLogPage({ lines: lines("new"), cursor: "c1" }) } });
    await logs("train-7", { team, since: 900, tail: 5, rank: 2, attempt: 1 }, on);
    expect(printed.out).toEqual(["new"]);
    expect(api.calls.map(({ query }) => query)).toEqual([{ limit: "10000", attempt: "1", rank: "2", since: at(2_700), tail: "5" }]);
  });

  it("fleet logs --rank all prints the lines of all members in order of time, each with its rank", async () => {
    const of = (...texts: [number, string][]) => texts.map(([seconds, text]) => ({ at: at(seconds), text }));
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        const all = query["rank"] === "1" ? of([1, "b"], [3, "d"]) : of([0, "a"], [2, "c"], [4, "e"]);
        return { body: aLogPage({ members: 2, lines: query["cursor"] ? [] : all, cursor: "c" }) };
      },
    });
    await logs("train-7", { team, rank: "all" }, on);
    expect(printed.out).toEqual(["[0] a", "[1] b", "[0] c", "[1] d", "[0] e"]);
    await logs("train-7", { team, rank: "all", tail: 2, json: true }, on);
    expect(JSON.parse(printed.out.slice(5).join("\n"))).toEqual([
      { rank: 1, at: at(3), text: "d" },
      { rank: 0, at: at(4), text: "e" },
    ]);
  });

  it("fleet logs ends with a hint to the whole log if parts were left out", async () => {
    const cut = "[fleetwright: 12 lines (1 KiB) were left out here; to read the whole log: fleet logs train-7 --whole]";
    const { on, printed } = await start({ [`GET ${job}/logs`]: { body: aLogPage({ lines: lines("first", cut, "last") }) } });
    await logs("train-7", { team }, on);
    expect(printed.out).toEqual(["first", cut, "last"]);
    expect(printed.note.at(-1)).toMatch(/fleet logs train-7 --whole --attempt 1 --team research$/);
  });

  it("the hint to the whole log names the rank and the attempt whose log was cut, and each of several", async () => {
    const cut = "[fleetwright: 12 lines (1 KiB) were left out here; to read the whole log: fleet logs train-7 --whole]";
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        const isCut = query["rank"] === "1" || query["rank"] === "3";
        return { body: aLogPage({ attempt: 2, members: 4, lines: query["cursor"] ? [] : lines(isCut ? cut : "whole"), cursor: "c" }) };
      },
    });
    await logs("train-7", { team, rank: "all" }, on);
    expect(printed.note).toEqual([
      expect.stringMatching(/ attempt 2, rank 1 .*: fleet logs train-7 --whole --attempt 2 --rank 1 --team research$/),
      expect.stringMatching(/ attempt 2, rank 3 .*: fleet logs train-7 --whole --attempt 2 --rank 3 --team research$/),
    ]);
  });

  it("fleet logs -f names the attempt whose log was cut, not the latest one", async () => {
    const cut = "[fleetwright: 12 lines (1 KiB) were left out here; to read the whole log: fleet logs train-7 --whole]";
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        const isSecond = query["attempt"] === "2";
        const page = isSecond ? { attempt: 2, state: "succeeded" as const } : {};
        const text = isSecond ? "second" : cut;
        return { body: aLogPage({ ...page, latestAttempt: 2, lines: query["cursor"] ? [] : lines(text), cursor: "c" }) };
      },
      [`GET ${job}`]: { body: aJobView({ state: "succeeded", attempt: 2 }) },
    });
    expect(await follow("train-7", { team, attempt: 1 }, on)).toBe(0);
    expect(printed.note.at(-1)).toMatch(/ attempt 1 .*: fleet logs train-7 --whole --attempt 1 --team research$/);
  });

  it("fleet logs --json prints a list with times", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [{ body: aLogPage({ lines: lines("one", "two"), cursor: "c" }) }, { body: aLogPage({ cursor: "c" }) }],
      [`GET ${job}`]: { body: aJobView() },
    });
    await logs("train-7", { team, json: true }, on);
    expect(JSON.parse(printed.out.join("\n"))).toEqual([
      { at: at(0), text: "one" },
      { at: at(1), text: "two" },
    ]);
    await logs("train-7", { team, json: true }, on);
    expect(printed.out.at(-1)).toBe("[]");
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
  ])("fleet logs says why there are no lines of a job that %s", async (_what, page, view, message) => {
    const { on, printed } = await start({ [`GET ${job}/logs`]: { body: page }, [`GET ${job}`]: { body: view } });
    expect(await logs("train-7", { team }, on)).toBe(0);
    expect(printed.note.join("\n")).toMatch(message);
  });

  it("fleet logs repeats a call if the job was created between two calls", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [
        problem(404, "not-found", "There is no such job."),
        { body: aLogPage({ lines: lines("here"), cursor: "c1" }) },
        { body: aLogPage({ cursor: "c1" }) },
      ],
      [`GET ${job}`]: { body: aJobView() },
    });
    expect(await logs("train-7", { team }, on)).toBe(0);
    expect(printed.out).toEqual(["here"]);
  });

  it("fleet logs says whether the job, the attempt or the rank does not exist", async () => {
    const { on } = await start({
      [`GET ${job}/logs`]: problem(404, "not-found", "no"),
      [`GET ${job}`]: { body: aJobView({ attempt: 2 }) },
    });
    await expect(logs("train-7", { team, attempt: 5 }, on)).rejects.toThrow("train-7 has no attempt 5; its last one is 2");
    await expect(logs("train-7", { team, rank: 1 }, on)).rejects.toThrow("train-7 is not a gang; its only rank is 0");
    await expect(logs("nobody", { team }, on)).rejects.toThrow(/no job nobody .*fleet jobs --team research/);
  });
});

describe("fleet logs -f", () => {
  it("fleet logs -f waits for a job that was just submitted, but gives up if it does not appear", async () => {
    const gone = problem(404, "not-found", "There is no such job.");
    const ended = { body: aLogPage({ lines: lines("here"), state: "succeeded", cursor: "c1" }) };
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [gone, gone, ended, { body: aLogPage({ state: "succeeded", cursor: "c1" }) }],
      [`GET ${job}`]: [gone, gone, { body: aJobView({ job: "train-7", state: "succeeded" }) }],
    });
    expect(await follow("train-7", { team }, on)).toBe(0);
    expect(printed.out).toEqual(["here"]);
    await expect(follow("nobody", { team }, on)).rejects.toThrow(/no job nobody/);
    expect(api.calls.filter(({ path }) => path.endsWith("/nobody/logs"))).toHaveLength(15);
  });

  it("fleet logs -f prints each line once, waits for late lines after the end, and says how the job ended", async () => {
    const { on, printed, pauses } = await start({
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
    expect(printed).toEqual({ out: ["one", "late"], note: ["train-7 is queued", "train-7 is running", "train-7 is succeeded"] });
    expect(api.calls.at(-2)?.query).toMatchObject({ attempt: "1", cursor: "c2" });
    expect(pauses).toEqual(Array.from({ length: 7 }, () => 1_000));
    // After the late line, three empty pages in a row are the end.
    expect(api.calls.filter(({ path }) => path.endsWith("logs"))).toHaveLength(5 + 3);
  });

  it("fleet logs -f continues with later attempts, with a header between them, and exits with 1 if the job fails", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) =>
        query["attempt"] === "2"
          ? {
              body: aLogPage({ attempt: 2, latestAttempt: 2, state: "failed", lines: query["cursor"] ? [] : lines("second"), cursor: "d" }),
            }
          : { body: aLogPage({ latestAttempt: 2, lines: query["cursor"] ? [] : lines("first"), cursor: "c" }) },
      [`GET ${job}`]: { body: aJobView({ state: "failed", attempt: 2, reason: "exit code 3" }) },
    });
    expect(await follow("train-7", { team, attempt: 1 }, on)).toBe(1);
    expect(printed.out).toEqual(["first", "second"]);
    expect(printed.note).toEqual(["--- attempt 2 ---", "train-7 is failed", "train-7: exit code 3"]);
  });

  it("fleet logs -f continues with the next attempt that exists after the table was restored, whose number is far higher", async () => {
    const restored = 259_200_000_001;
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        const attempt = Number(query["attempt"] ?? 1);
        const seen = { attempt, latestAttempt: restored, cursor: "c", lines: query["cursor"] ? [] : lines(`of ${attempt}`) };
        return { body: aLogPage({ ...seen, state: "succeeded" }) };
      },
      [`GET ${job}/attempts`]: { body: { items: [anAttemptView({ attempt: restored }), anAttemptView()] } },
      [`GET ${job}`]: { body: aJobView({ state: "succeeded", attempt: restored }) },
    });
    expect(await follow("train-7", { team, attempt: 1 }, on)).toBe(0);
    expect(printed.out).toEqual(["of 1", `of ${restored}`]);
    expect(printed.note).toContain(`--- attempt ${restored} ---`);
  });

  it("fleet logs -f prints the state of a later attempt below that attempt's header", async () => {
    let polls = 0;
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        if (query["attempt"] !== "2") return { body: aLogPage({ latestAttempt: ++polls > 1 ? 2 : 1, cursor: "c" }) };
        return { body: aLogPage({ attempt: 2, latestAttempt: 2, state: ++polls > 9 ? "succeeded" : "running" }) };
      },
      [`GET ${job}`]: { body: aJobView({ state: "succeeded", attempt: 2 }) },
    });
    expect(await follow("train-7", { team }, on)).toBe(0);
    expect(printed.note).toEqual(["train-7 is running", "--- attempt 2 ---", "train-7 is running", "train-7 is succeeded"]);
  });

  it("fleet logs -f prints why a job waits whenever the reason changes", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [
        { body: aLogPage({ state: "queued" }) },
        { body: aLogPage({ state: "queued", reason: "EC2 has no g5 left" }) },
        { body: aLogPage({ state: "queued", reason: "EC2 has no g5 left" }) },
        { body: aLogPage({ state: "queued", reason: "the team is at its limit" }) },
        { body: aLogPage({ state: "cancelled" }) },
      ],
      [`GET ${job}`]: { body: aJobView({ state: "cancelled" }) },
    });
    await follow("train-7", { team }, on);
    expect(printed.note).toEqual([
      "train-7 is queued",
      "train-7 is queued: EC2 has no g5 left",
      "train-7 is queued: the team is at its limit",
      "train-7 is cancelled",
    ]);
  });

  it("fleet logs -f --tail begins with the newest lines, once", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [
        { body: aLogPage({ lines: lines("newest"), cursor: "c1" }) },
        { body: aLogPage({ lines: lines("more"), cursor: "c2", state: "failed" }) },
        { body: aLogPage({ cursor: "c2", state: "failed" }) },
      ],
      [`GET ${job}`]: { body: aJobView({ state: "failed" }) },
    });
    await follow("train-7", { team, tail: 1 }, on);
    expect(printed.out).toEqual(["newest", "more"]);
    expect(api.calls.filter(({ path }) => path.endsWith("logs")).map(({ query }) => query["tail"])).toEqual([
      "1",
      ...api.calls.slice(2).map(() => undefined),
    ]);
  });

  it("fleet logs -f --rank all follows all members of a gang", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: ({ query }) => {
        const text = `from ${query["rank"]}`;
        return { body: aLogPage({ members: 3, state: "succeeded", cursor: "c", lines: query["cursor"] ? [] : lines(text) }) };
      },
      [`GET ${job}`]: { body: aJobView({ state: "succeeded" }) },
    });
    expect(await follow("train-7", { team, rank: "all" }, on)).toBe(0);
    expect(printed.out).toEqual(["[0] from 0", "[1] from 1", "[2] from 2"]);
  });

  it("fleet logs -f --json prints one object per line, with its attempt", async () => {
    const { on, printed } = await start({
      [`GET ${job}/logs`]: [{ body: aLogPage({ state: "cancelled", lines: lines("one") }) }, { body: aLogPage({ state: "cancelled" }) }],
      [`GET ${job}`]: { body: aJobView({ state: "cancelled" }) },
    });
    expect(await follow("train-7", { team, json: true }, on)).toBe(1);
    expect(printed.out.map((line) => JSON.parse(line))).toEqual([{ attempt: 1, at: at(0), text: "one" }]);
  });
});
