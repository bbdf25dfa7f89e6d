import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type InstanceNews, watchInstance } from "../../../lib/worker/instance/instance-watch.ts";
import { type Metadata, metadataAt } from "../../../lib/worker/instance/metadata.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { type FakeMetadata, fakeMetadataService } from "./http-fakes.ts";
import { ManualClock, turns } from "./manual-clock.ts";

const action = "meta-data/spot/instance-action";
const rebalance = "meta-data/events/recommendations/rebalance";

describe("the metadata service", () => {
  let service: FakeMetadata;
  beforeEach(async () => {
    service = await fakeMetadataService();
  });
  afterEach(() => service.close());

  test("the metadata service is read with a token, which is requested again if it is refused", async () => {
    const metadata = metadataAt(service.url);
    service.documents.set("meta-data/local-ipv4", "10.0.3.4");
    expect(await metadata.get("meta-data/local-ipv4")).toBe("10.0.3.4");
    expect(await metadata.get(action)).toBeUndefined();
    service.forgetTokens();
    expect(await metadata.get("meta-data/local-ipv4")).toBe("10.0.3.4");
  });

  test("a metadata service that cannot be reached causes an error, and can be read again later", async () => {
    const url = service.url;
    await service.close();
    const metadata = metadataAt(url);
    await expect(metadata.get(action)).rejects.toThrow();
    await expect(metadata.get(action)).rejects.toThrow();
  });
});

/** A watch in manual time over documents that the test sets; `down` makes the service unreachable. */
function watch() {
  const documents = new Map<string, string>();
  const state = { down: false };
  const metadata: Metadata = {
    get: async (path) => {
      if (state.down) throw new Error("connect ETIMEDOUT");
      return documents.get(path);
    },
  };
  const clock = new ManualClock();
  const stop = new AbortController();
  const logged: string[] = [];
  const changes: InstanceNews[] = [];
  const news = watchInstance({
    metadata,
    clock,
    log: workerLogInto(logged),
    changed: () => changes.push(news()),
    signal: stop.signal,
  });
  return { documents, state, clock, stop, logged, changes, news };
}

describe("an instance's watch", () => {
  test("an instance's watch learns the address as soon as it exists", async () => {
    const { documents, clock, changes, news } = watch();
    documents.set("meta-data/local-ipv4", "not an address");
    await clock.pass(5_000);
    expect(news()).toEqual({});
    documents.set("meta-data/local-ipv4", "10.0.3.4\n");
    await clock.pass(5_000);
    documents.set("meta-data/local-ipv4", "10.9.9.9");
    await clock.pass(60_000);
    expect(changes).toEqual([{ address: "10.0.3.4" }]);
  });

  test("an instance's watch reports an interruption within five seconds and keeps it", async () => {
    const { documents, clock, changes, news } = watch();
    await clock.pass(12_000);
    documents.set(action, '{"action": "terminate", "time": "2026-06-01T12:02:00Z"}');
    await clock.pass(5_000);
    const notice = { kind: "interruption", atMs: Date.parse("2026-06-01T12:00:00Z") } as const;
    expect(changes.map((each) => each.notice)).toEqual([notice]);
    documents.clear();
    await clock.pass(60_000);
    expect(news().notice).toEqual(notice);
    expect(changes.length).toBe(1);
  });

  test.each([
    ["is right", 90_000, 90_000],
    ["is an hour ahead", -3_510_000, 115_000],
    ["is an hour behind", 3_690_000, 115_000],
  ])("an instance's watch reports when the instance ends if its clock %s", async (_, byTheClockMs, leftMs) => {
    const { documents, clock, news } = watch();
    await clock.pass(1_000);
    documents.set(action, JSON.stringify({ action: "terminate", time: new Date(clock.wallMs() + 4_000 + byTheClockMs).toISOString() }));
    await clock.pass(5_000);
    expect(Math.abs((news().endsAtMs ?? 0) - (5_000 + leftMs))).toBeLessThan(1_000);
  });

  test("an instance's watch accepts an interruption after a recommendation, and nothing after that", async () => {
    const { documents, clock, changes } = watch();
    documents.set(rebalance, '{"noticeTime": "2026-06-01T12:00:00Z"}');
    await clock.pass(20_000);
    documents.set(action, '{"action": "stop", "time": "2026-06-01T12:07:00Z"}');
    await clock.pass(20_000);
    expect(changes.map(({ notice }) => notice)).toEqual([
      { kind: "rebalance", atMs: Date.parse("2026-06-01T12:00:00Z") },
      { kind: "interruption", atMs: Date.parse("2026-06-01T12:05:00Z") },
    ]);
  });

  test("an instance's watch ignores documents of an unknown form", async () => {
    const { documents, clock, changes } = watch();
    for (const text of ["", "null", "<html>", '{"action": "terminate"}', '{"action": "terminate", "time": "soon"}']) {
      documents.set(action, text);
      documents.set(rebalance, text);
      await clock.pass(5_000);
    }
    expect(changes).toEqual([]);
  });

  test("an instance's watch logs once that the service cannot be reached, and goes on", async () => {
    const { documents, state, clock, logged, changes } = watch();
    state.down = true;
    documents.set(action, '{"action": "hibernate", "time": "2026-06-01T12:02:00Z"}');
    await clock.pass(30_000);
    expect(logged.length).toBe(1);
    state.down = false;
    await clock.pass(5_000);
    expect(changes.length).toBe(1);
  });

  test("an instance's watch logs each outage of the service", async () => {
    const { state, clock, logged } = watch();
    for (const down of [true, false, true]) {
      state.down = down;
      await clock.pass(15_000);
    }
    expect(logged).toEqual(["metadata service unreachable", "metadata service unreachable"]);
  });

  test("an instance's watch ends when its signal is aborted", async () => {
    const { documents, clock, stop, changes } = watch();
    await clock.pass(1_000);
    stop.abort();
    await turns();
    documents.set(action, '{"action": "terminate", "time": "2026-06-01T12:02:00Z"}');
    await clock.pass(60_000);
    expect(changes).toEqual([]);
  });
});
