import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { type IslandWork, idleIslandMs, judgeIsland, lookEveryMs, Silence } from "../../../lib/worker/attempt/island.ts";
import { islandTimeOnDisk, openIslandTime } from "../../../lib/worker/attempt/island-time.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";

const hour = 3_600_000;
const time = { unansweredMs: 0, idleMs: 0, islandMs: 24 * hour };
const judged = (work: IslandWork, over: Partial<typeof time>, why?: string) => judgeIsland({ time: { ...time, ...over }, work, why });

describe("a node whose worker gets no response", () => {
  test("while a program runs the node goes on for the time that the server named, and looks again within a minute", () => {
    expect(judged("runs", { unansweredMs: 23 * hour })).toEqual({ kind: "hold", forMs: lookEveryMs });
    expect(judged("runs", { unansweredMs: 24 * hour - 5 })).toEqual({ kind: "hold", forMs: 5 });
    expect(judged("runs", { unansweredMs: 24 * hour })).toEqual({
      kind: "shut-down",
      because: "no call has got a response for 24.0 h",
    });
  });

  test("the reason for the node's end says why the last call got no response", () => {
    const refusal = new FleetError("node-call", "The node function returned HTTP status 403: Forbidden", { retry: true });
    const silence = new Silence();
    expect([silence.isOn, silence.why, silence.forMs(5)]).toEqual([false, undefined, 0]);
    silence.note(new Error("connection refused"), 1_000);
    silence.note(refusal, 3_000);
    expect([silence.isOn, silence.forMs(5_000)]).toEqual([true, 4_000]);
    expect(judged("runs", { unansweredMs: 24 * hour }, silence.why)).toEqual({
      kind: "shut-down",
      because: "no call has got a response for 24.0 h; the last one: The node function returned HTTP status 403: Forbidden",
    });
    silence.end();
    expect([silence.isOn, silence.why]).toEqual([false, undefined]);
    silence.note(new Error("x".repeat(5_000)), 0);
    expect(silence.why).toHaveLength(300);
  });

  test("a node that runs nothing and keeps nothing ends after fifteen minutes without work", () => {
    expect(judged("none", { unansweredMs: 5 * hour, idleMs: idleIslandMs - 1 })).toEqual({ kind: "hold", forMs: 1 });
    expect(judged("none", { unansweredMs: idleIslandMs, idleMs: idleIslandMs })).toEqual({
      kind: "shut-down",
      because: "no call has got a response for 15 min",
    });
  });

  test("a node that runs nothing leaves what it keeps on S3 after fifteen minutes, and ends with its hours if S3 does not take it", () => {
    expect(judged("keeps", { unansweredMs: 5 * hour, idleMs: idleIslandMs - 1 })).toEqual({ kind: "hold", forMs: 1 });
    expect(judged("keeps", { unansweredMs: 5 * hour, idleMs: idleIslandMs })).toEqual({ kind: "leave" });
    expect(judged("keeps", { unansweredMs: 24 * hour, idleMs: 20 * hour }).kind).toBe("shut-down");
  });

  test("before its first orders a node has fifteen minutes from its start, whatever it holds", () => {
    for (const work of ["runs", "keeps", "none"] as const) {
      const unheard = (unansweredMs: number) => judgeIsland({ time: { unansweredMs, idleMs: 0 }, work });
      expect(unheard(idleIslandMs - 1)).toEqual({ kind: "hold", forMs: 1 });
      expect(unheard(idleIslandMs).kind).toBe("shut-down");
    }
  });
});

describe("the time of an island on the disk", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fw-island-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const open = () => openIslandTime(folder, workerLogInto([]));

  test("a first process begins at zero, and each restart counts for a minute, so that a worker that crashes at once cannot go on forever", async () => {
    expect(await open()).toEqual({ unansweredMs: 0, idleMs: 0 });
    for (let restarts = 1; restarts <= 15; restarts++)
      expect(await open()).toEqual({ unansweredMs: restarts * 60_000, idleMs: restarts * 60_000 });
    expect(judgeIsland({ time: await open(), work: "none" }).kind).toBe("shut-down");
  });

  test("a later process goes on with what the last one wrote", async () => {
    const save = islandTimeOnDisk(folder, workerLogInto([]));
    for (const unansweredMs of [1 * hour, 2 * hour, 3 * hour]) save({ unansweredMs, idleMs: 0, islandMs: 24 * hour });
    await expect.poll(() => readFile(join(folder, "island.json"), "utf8")).toContain(`"unansweredMs":${3 * hour}`);
    expect(await open()).toEqual({ unansweredMs: 3 * hour + 60_000, idleMs: 60_000, islandMs: 24 * hour });
    expect((await stat(join(folder, "island.json"))).mode & 0o777).toBe(0o600);
  });

  test("a file that cannot be read or written costs no start", async () => {
    await writeFile(join(folder, "island.json"), '{"version":1,"unans');
    expect(await open()).toEqual({ unansweredMs: 0, idleMs: 0 });
    const lines: string[] = [];
    const elsewhere = join(folder, "none");
    expect(await openIslandTime(elsewhere, (_level, message) => void lines.push(message))).toEqual({ unansweredMs: 0, idleMs: 0 });
    expect(lines).toEqual(["island time not kept"]);
  });
});
