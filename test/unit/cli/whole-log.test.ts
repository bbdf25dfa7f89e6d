import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { wholeLog } from "../../../lib/cli/commands/jobs/whole-log.ts";
import type { SegmentRef } from "../../../lib/model/job.ts";
import type { KeptLogs, OpenedSegment } from "../../../lib/ports/kept-logs.ts";
import { monday } from "../../fakes/builders.ts";
import { aJobView, aLogPage, lines } from "./api-samples.ts";
import { aContext, type FakeApi, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
afterEach(() => api.close());
const job = "/v1/teams/research/jobs/train-7";
const team = "research";

type Part = Partial<OpenedSegment> & { readonly text: string };

/** Returns kept logs with these parts by number. The `later` parts appear after this many listings. */
function keptLogs(
  parts: ReadonlyMap<number, Part | Error>,
  later: { listings: number; parts: ReadonlyMap<number, Part> } = { listings: 0, parts: new Map() },
) {
  const counts = { listings: 0, opened: 0, most: 0 };
  let open = 0;
  const all = () => new Map([...parts, ...(counts.listings > later.listings ? later.parts : [])]);
  const logs: KeptLogs = {
    async segments(attempt, rank) {
      counts.listings++;
      return [...all().keys()].sort((a, b) => a - b).map((number): SegmentRef => ({ ...attempt, rank, number }));
    },
    async open({ number }) {
      open++;
      counts.opened++;
      counts.most = Math.max(counts.most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      const part = all().get(number);
      if (part === undefined || part instanceof Error) throw part ?? new Error("not there");
      const { text, ...over } = part;
      return { gzip: gzipSync(Buffer.from(text, "latin1")), bytes: text.length, offset: 0, last: false, ...over };
    },
  };
  return { logs, counts };
}

async function read(
  parts: readonly (readonly [number, Part | Error])[],
  {
    page = aLogPage({ state: "succeeded", lines: lines("x") }),
    view = aJobView({ state: "succeeded" }),
    options = {},
    later,
    terminal = {},
  }: {
    terminal?: { isTerminal?: boolean };
    page?: object;
    view?: object;
    options?: Parameters<typeof wholeLog>[1];
    later?: { listings: number; parts: ReadonlyMap<number, Part> };
  } = {},
) {
  api = await startFakeApi({ [`GET ${job}/logs`]: { body: page }, [`GET ${job}`]: { body: view } });
  const kept = keptLogs(new Map(parts), later);
  const { on, printed, pauses } = aContext(api, { keptLogs: kept.logs });
  const code = await wholeLog("train-7", { team, ...options }, { ...on, console: { ...on.console, ...terminal } });
  return { code, pauses, out: printed.out, text: printed.out.join(""), note: printed.note, counts: kept.counts };
}
const end = { last: true };

describe("fleet logs --whole", () => {
  it("fleet logs --whole prints every byte of every part in order, and fetches a few parts ahead", async () => {
    const texts = Array.from({ length: 30 }, (_, index) => `part ${index} \r\u00ff\u0000\n`);
    const parts = texts.map((text, number) => [number, { text, last: number === 29 }] as const);
    const { code, text, note, counts } = await read(parts);
    expect({ code, text, note }).toEqual({ code: 0, text: texts.join(""), note: [] });
    // The part that is printed, and four ahead of it.
    expect(counts.most).toBe(5);
  });

  it.each([
    ["on a terminal, rewritten lines in their newest state", { isTerminal: true }, {}, ["50% €", "100%", "end"]],
    ["with --raw on a terminal, every byte", { isTerminal: true }, { raw: true }, ["50% \u00e2", "\u0082\u00ac\n1%\r100%\nend"]],
  ])("fleet logs --whole prints %s", async (_what, terminal, options, expected) => {
    // The three bytes of the euro sign are in two parts of the log.
    const parts = [
      [0, { text: "50% \u00e2" }],
      [1, { text: "\u0082\u00ac\n1%\r100%\nend", ...end }],
    ] as const;
    expect((await read(parts, { options, terminal })).out).toEqual(expected);
  });

  it("fleet logs --whole waits a little for parts that are not sealed yet if the job is over", async () => {
    const later = { listings: 3, parts: new Map([[1, { text: "two\n", ...end }]]) };
    expect(await read([[0, { text: "one\n" }]], { later })).toMatchObject({ code: 0, text: "one\ntwo\n", note: [] });
  });

  it.each([
    [119_999, 0, 2],
    [120_000, 1, 1],
  ])("fleet logs --whole waits for parts only if the job ended less than two minutes ago: %i ms", async (ago, code, listings) => {
    const view = aJobView({ state: "succeeded", endedAt: new Date(monday + 3_600_000 - ago).toISOString() });
    const later = { listings: 1, parts: new Map([[1, { text: "two\n", ...end }]]) };
    const ended = await read([[0, { text: "one\n" }]], { view, later });
    expect([ended.code, ended.counts.listings]).toEqual([code, listings]);
  });

  it("fleet logs --whole looks twice a second for missing parts, for thirty seconds", async () => {
    const { code, pauses, counts } = await read([[0, { text: "one\n" }]]);
    expect([code, counts.listings]).toEqual([1, 61]);
    expect(pauses).toEqual(Array.from({ length: 60 }, () => 500));
  });

  it("fleet logs --whole does not wait for parts of an earlier attempt, and says which attempt still runs", async () => {
    const page = aLogPage({ attempt: 1, latestAttempt: 2, state: "running", lines: lines("x") });
    const { code, counts, note } = await read([[0, { text: "one\n" }]], { page });
    expect([code, counts.listings]).toEqual([1, 1]);
    expect(note).toEqual(["the end of this log is missing: it is not sealed yet, or the node was lost before the upload"]);
  });

  it("fleet logs --whole reports a missing part where it is missing, and exits with 1", async () => {
    const parts = [
      [0, { text: "one\n" }],
      [2, { text: "three\n", offset: 2_004, ...end }],
    ] as const;
    const long = aJobView({ state: "succeeded", endedAt: "2026-06-01T00:10:00.000Z" });
    const { code, text, note } = await read(parts, { view: long });
    expect({ code, text }).toEqual({ code: 1, text: "one\nthree\n" });
    expect(note).toEqual([expect.stringMatching(/^2(\.0)? (kB|KiB|KB) .*missing here/i)]);
  });

  it("fleet logs --whole reports that the end is missing if the node was lost before the upload", async () => {
    const view = aJobView({ state: "failed", endedAt: "2026-06-01T00:10:00.000Z" });
    const { code, text, note } = await read([[0, { text: "one\n" }]], { view });
    expect({ code, text }).toEqual({ code: 1, text: "one\n" });
    expect(note.join()).toMatch(/the end of this log is missing/);
  });

  it("fleet logs --whole reports a part that cannot be opened, and continues with the others", async () => {
    const { code, text, note } = await read([
      [0, new Error("KMS said no")],
      [1, { text: "two\n", ...end }],
    ]);
    expect({ code, text }).toEqual({ code: 1, text: "two\n" });
    expect(note).toEqual(["a part of this log cannot be read: KMS said no"]);
  });

  it("fleet logs --whole prints what has been kept so far of an attempt that still runs", async () => {
    const { code, text, note } = await read([[0, { text: "so far" }]], { page: aLogPage({ lines: lines("x") }) });
    expect({ code, text }).toEqual({ code: 0, text: "so far" });
    expect(note.join()).toMatch(/attempt 1 of train-7 is not over/);
  });

  it("fleet logs --whole says at once that an attempt has written nothing", async () => {
    const { code, note, counts } = await read([], { page: aLogPage({ state: "succeeded" }) });
    expect({ code, note }).toEqual({ code: 0, note: ["attempt 1 of train-7 has written nothing"] });
    expect(counts.listings).toBe(1);
  });

  it.each([
    [{ rank: "all" as const }, /choose it with --rank N/],
    [{ tail: 5 }, /omit --tail/],
    [{ follow: true }, /omit --follow/],
  ])("fleet logs --whole refuses the options %j", async (options, message) => {
    await expect(read([], { options })).rejects.toThrow(message);
  });
});
