import { describe, expect, it } from "vitest";
import { lossInWords, lossOf } from "../../../lib/cli/commands/local-loss.ts";
import { takeoverInWords } from "../../../lib/cli/session/takeover.ts";
import { aJobSummary } from "./api-samples.ts";

const none = { open: 0, ended: 0, datasets: 0, whole: true };

describe("the loss when a local cloud ends", () => {
  it.each([
    [none, "nothing is lost: it has no jobs and no datasets"],
    [{ ...none, open: 443 }, "this deletes 443 jobs that have not ended"],
    [
      { ...none, open: 1, ended: 57, datasets: 2 },
      "this deletes 1 job that has not ended, the logs and artifacts of 57 jobs and 2 datasets",
    ],
    [{ ...none, open: 2, ended: 1 }, "this deletes 2 jobs that have not ended and the logs and artifacts of 1 job"],
    [{ ...none, ended: 1, whole: false }, "this deletes at least the logs and artifacts of 1 job"],
    [{ ...none, whole: false }, "this deletes all its jobs, logs, artifacts and datasets"],
  ])("the loss is shown in words: %o", (loss, words) => {
    expect(lossInWords(loss)).toBe(words);
  });

  it("the loss is counted over all teams and all pages", async () => {
    const api = {
      jobs: async ({ team, cursor }: { team: string; cursor?: string | undefined }) =>
        cursor === undefined
          ? { items: [aJobSummary({ state: "queued" }), aJobSummary({ state: "failed" })], ...(team === "research" ? { cursor: "2" } : {}) }
          : { items: [aJobSummary({ state: "running" })] },
      datasets: async () => ({ items: [] }),
    };
    expect(await lossOf({ api, teams: ["research", "vision"], withinMs: 5_000 })).toEqual({ open: 3, ended: 2, datasets: 0, whole: true });
  });

  it.each([
    [20, true],
    [21, false],
  ])("the loss is counted over twenty pages of a hundred jobs per team: of %i pages, that is all of it (%s)", async (pages, whole) => {
    const asked: object[] = [];
    const api = {
      jobs: async (of: { limit?: number | undefined; cursor?: string | undefined }) => {
        asked.push(of);
        const page = Number(of.cursor ?? 1);
        return { items: [aJobSummary({ state: "queued" })], ...(page < pages && { cursor: String(page + 1) }) };
      },
      datasets: async () => ({ items: [] }),
    };
    expect(await lossOf({ api, teams: ["research"], withinMs: 5_000 })).toEqual({ open: 20, ended: 0, datasets: 0, whole });
    expect(asked[0]).toEqual({ team: "research", limit: 100, cursor: undefined });
  });

  it("counting the loss stops in time if the cloud does not respond", async () => {
    const never = new Promise<never>(() => undefined);
    const api = { jobs: () => never, datasets: () => never };
    expect(await lossOf({ api, teams: ["research"], withinMs: 20 })).toEqual({ ...none, whole: false });
  });

  it("the loss is unknown if the cloud cannot be reached", async () => {
    const fails = async (): Promise<never> => {
      throw new Error("refused");
    };
    expect(await lossOf({ api: { jobs: fails, datasets: fails }, teams: ["research"], withinMs: 5_000 })).toEqual({
      ...none,
      whole: false,
    });
  });
});

describe("the terminal of a local cloud", () => {
  const own = { endpoint: "http://127.0.0.1:4566", pid: 10 };
  const other = { endpoint: "http://127.0.0.1:40001", pid: 20 };

  it("a local cloud prints that another local cloud takes over", () => {
    expect(takeoverInWords(own, own, other)).toBe(
      "another local cloud has started, at http://127.0.0.1:40001 (process 20): until it ends, fleet commands use that one",
    );
  });

  it("a local cloud prints that commands use it again after the other one has ended", () => {
    expect(takeoverInWords(own, other, own)).toBe("the local cloud at http://127.0.0.1:40001 has ended: fleet commands use this one again");
  });

  it("a local cloud prints nothing if nothing changes, or if it ends itself", () => {
    expect(takeoverInWords(own, own, own)).toBeUndefined();
    expect(takeoverInWords(own, other, other)).toBeUndefined();
    expect(takeoverInWords(own, own, undefined)).toBeUndefined();
  });
});
