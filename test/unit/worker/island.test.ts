import { describe, expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { idleIslandMs, judgeIsland, Silence } from "../../../lib/worker/attempt/island.ts";

const hour = 3_600_000;
const contact = { atMs: 1_000, islandMs: 24 * hour };
const judged = (nowMs: number, hasWork: boolean, of: Partial<Parameters<typeof judgeIsland>[0]> = {}) =>
  judgeIsland({ nowMs, startedMs: 0, contact, hasWork, ...of });

describe("a node whose worker gets no response", () => {
  test("with work it goes on for the time that the server named, and looks again within a minute", () => {
    expect(judged(1_000 + 23 * hour, true)).toEqual({ kind: "hold", untilMs: 1_000 + 23 * hour + 60_000 });
    expect(judged(1_000 + 24 * hour - 5, true)).toEqual({ kind: "hold", untilMs: 1_000 + 24 * hour });
    expect(judged(1_000 + 24 * hour, true)).toEqual({ kind: "shut-down", because: "no call has got a response for 24.0 h" });
  });

  test("its reason says why the last call got no response", () => {
    const refusal = new FleetError("node-call", "The node function returned HTTP status 403: Forbidden", { retry: true });
    const silence = new Silence();
    expect([silence.isOn, silence.why, silence.forMs(5)]).toEqual([false, undefined, 0]);
    silence.note(new Error("connection refused"), 1_000);
    silence.note(refusal, 3_000);
    expect([silence.isOn, silence.forMs(5_000)]).toEqual([true, 4_000]);
    expect(judged(1_000 + 24 * hour, true, { why: silence.why })).toEqual({
      kind: "shut-down",
      because: "no call has got a response for 24.0 h; the last one: The node function returned HTTP status 403: Forbidden",
    });
    silence.end();
    expect([silence.isOn, silence.why]).toEqual([false, undefined]);
    silence.note(new Error("x".repeat(5_000)), 0);
    expect(silence.why).toHaveLength(300);
  });

  test("without work it ends itself after fifteen minutes", () => {
    expect(judged(1_000 + idleIslandMs - 1, false).kind).toBe("hold");
    expect(judged(1_000 + idleIslandMs, false)).toEqual({ kind: "shut-down", because: "no call has got a response for 15 min" });
  });

  test("before its first orders it has fifteen minutes from its start, whatever it holds", () => {
    for (const hasWork of [true, false]) {
      expect(judged(idleIslandMs - 1, hasWork, { contact: undefined }).kind).toBe("hold");
      expect(judged(idleIslandMs, hasWork, { contact: undefined }).kind).toBe("shut-down");
    }
  });
});
