import { describe, expect, test } from "vitest";
import type { DecisionReader, RecordedDecision } from "../../../lib/ports/decision-reader.ts";
import type { Journal } from "../../../lib/ports/journal.ts";
import { aDecision, aLaunch, anEntry, monday } from "../../fakes/builders.ts";

export type DecisionReaderStage = { readonly journal: Journal; readonly reader: DecisionReader };

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Reads all decisions of a pool, page by page. */
export async function readAll(
  reader: DecisionReader,
  pool: string,
  from: { limit: number; cursor?: string },
): Promise<{ ids: string[]; pages: number }> {
  const all: RecordedDecision[] = [];
  let cursor = from.cursor;
  let pages = 0;
  do {
    const page = await reader.page(pool, { ...from, cursor });
    expect(page.decisions.length).toBeLessThanOrEqual(from.limit);
    all.push(...page.decisions);
    ({ cursor } = page);
    pages += 1;
  } while (cursor !== undefined && pages < 1000);
  return { ids: all.map(({ id }) => id), pages };
}

/** `make` must return an empty journal and its reader. */
export function decisionReaderContract(name: string, make: () => Promise<DecisionReaderStage>): void {
  describe(`decision reader: ${name}`, () => {
    test("an empty journal is one empty page", async () => {
      const { reader } = await make();
      expect(await reader.page("gpu", { limit: 10 })).toEqual({ decisions: [] });
      expect(await reader.get("gpu", "20260601-000000.000Z-decision-1")).toBeUndefined();
    });

    test("the decisions of a pool are read backwards over days, months and years, page by page", async () => {
      const { journal, reader } = await make();
      const times = [monday, monday + 1, monday + minuteMs, monday + dayMs, monday + 40 * dayMs, monday + 400 * dayMs];
      for (const [n, atMs] of times.entries()) await journal.record(aDecision({ id: `d${n}`, atMs }));
      await journal.record(aDecision({ id: "other", pool: "gpu-2", atMs: monday + 2 }));
      const newestFirst = [
        "20270706-000000.000Z-d5",
        "20260711-000000.000Z-d4",
        "20260602-000000.000Z-d3",
        "20260601-000100.000Z-d2",
        "20260601-000000.001Z-d1",
        "20260601-000000.000Z-d0",
      ];
      for (const limit of [1, 2, 6, 50]) expect((await readAll(reader, "gpu", { limit })).ids).toEqual(newestFirst);
      expect((await readAll(reader, "gpu-2", { limit: 10 })).ids).toEqual(["20260601-000000.002Z-other"]);
    });

    test("a page of decisions begins before the given time, whether or not there is a decision at that time", async () => {
      const { journal, reader } = await make();
      for (const [n, atMs] of [monday, monday + minuteMs, monday + dayMs].entries()) await journal.record(aDecision({ id: `d${n}`, atMs }));
      const older = async (cursor: string): Promise<number> => (await readAll(reader, "gpu", { limit: 10, cursor })).ids.length;
      expect(await older("2027")).toBe(3);
      expect(await older("20260602")).toBe(2);
      expect(await older("20260601-0001")).toBe(1);
      expect(await older("20260601-000059")).toBe(1);
      expect(await older("20260601")).toBe(0);
      expect(await older("2025")).toBe(0);
    });

    test("a decision is found by its id, with what it did", async () => {
      const { journal, reader } = await make();
      const { id: _id, clientToken: _token, intendedAtMs: _at, ...launch } = aLaunch({ team: "vision" });
      const entry = anEntry();
      await journal.record(
        aDecision({
          plan: {
            steps: [
              { kind: "bind", entry, node: "i-1", because: "it has room" },
              { kind: "bind-gang", entry, nodes: ["i-1", "i-2"], because: "they have room" },
              { kind: "fail", attempt: { team: "vision", job: "train-1", attempt: 1 }, failure: "never-fits", because: "it can never run" },
              { kind: "launch", launch, because: "it waits" },
              { kind: "retire", node: "i-3", because: "idle" },
            ],
          },
          outcomes: ["done", "done", "stale"],
        }),
      );
      const attempt = { team: "vision", job: "train-1", attempt: 1 };
      expect(await reader.get("gpu", "20260601-000000.000Z-decision-1")).toEqual({
        id: "20260601-000000.000Z-decision-1",
        pool: "gpu",
        epoch: 7,
        atMs: monday,
        causes: ["job", "tick"],
        queued: 2,
        nodes: 1,
        reserved: { usdPerHour: 0.5, gpus: 1 },
        steps: [
          { kind: "bind", teams: ["vision"], attempt, nodes: ["i-1"], because: "it has room", outcome: "done" },
          { kind: "bind-gang", teams: ["vision"], attempt, nodes: ["i-1", "i-2"], because: "they have room", outcome: "done" },
          { kind: "fail", teams: ["vision"], attempt, nodes: [], because: "it can never run", outcome: "stale" },
          {
            kind: "launch",
            teams: ["vision"],
            nodes: [],
            because: "it waits",
            launch: { market: "spot", instanceTypes: ["g5.xlarge"], count: 1, reserved: { usdPerHour: 0.5, gpus: 1 }, jobs: 1 },
          },
          { kind: "retire", teams: [], nodes: ["i-3"], because: "idle" },
        ],
      });
      expect(await reader.get("lab", "20260601-000000.000Z-decision-1")).toBeUndefined();
    });
  });
}
