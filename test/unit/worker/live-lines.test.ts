import { describe, expect, test } from "vitest";
import type { LogPiece } from "../../../events/artifacts/log-line.ts";
import { LiveLines } from "../../../lib/worker/logs/live-lines.ts";
import { ManualClock } from "./manual-clock.ts";

function lines(): { clock: ManualClock; emitted: LogPiece[]; push: (text: string | Buffer) => void; end: () => void } {
  const [clock, emitted] = [new ManualClock(), [] as LogPiece[]];
  const live = new LiveLines(clock, (piece) => emitted.push(piece));
  return { clock, emitted, push: (text) => live.push(Buffer.from(text)), end: () => live.end() };
}

describe("live lines", () => {
  test("live lines are complete even if their bytes arrive in pieces", () => {
    const { emitted, push, end } = lines();
    for (const text of ["a", "b\nc\r", "\nd\r\n", "\n"]) push(text);
    const euro = Buffer.from("10 €");
    push(euro.subarray(0, 4));
    push(euro.subarray(4));
    end();
    expect(emitted).toEqual(["ab", "c", "d", "", "10 €"].map((text) => ({ text })));
  });

  test("an unfinished line is shown after a second, and later text continues it", async () => {
    const { clock, emitted, push } = lines();
    push("Downloading");
    await clock.pass(999);
    expect(emitted).toEqual([]);
    await clock.pass(1);
    expect(emitted).toEqual([{ text: "Downloading", unfinished: true }]);
    push("..");
    push("..");
    await clock.pass(1_000);
    push(" done\nnext\n");
    expect(emitted.slice(1)).toEqual([
      { text: "....", continues: true, unfinished: true },
      { text: " done", continues: true },
      { text: "next" },
    ]);
    await clock.pass(10_000);
    expect(emitted).toHaveLength(4);
  });

  test("lines that end within a second are not shown in parts, even if chunks end in the middle of them", async () => {
    const { clock, emitted, push } = lines();
    for (let line = 0; line < 50; line++) {
      push(`line ${line}\nbegin of `);
      await clock.pass(100);
    }
    expect(emitted.filter(({ unfinished }) => unfinished)).toEqual([]);
  });

  test.each([
    ["before each state", ["\r 10%", "\r 20%", "\r 30%"], "\r100%\n"],
    ["after each state", [" 10%\r", " 20%\r", " 30%\r"], "100%\r\n"],
  ])("a progress bar with carriage returns %s shows its newest state once per second, and its last state", async (_where, states, last) => {
    const { clock, emitted, push } = lines();
    for (const state of states) push(state);
    await clock.pass(1_000);
    expect(emitted).toEqual([{ text: " 30%", unfinished: true }]);
    for (let percent = 31; percent < 100; percent++) {
      push(states[0]?.replace("10", String(percent)) ?? "");
      await clock.pass(100);
    }
    push(last);
    const shown = emitted.slice(1, -1);
    expect(shown.length).toBeLessThanOrEqual(7);
    for (const piece of shown) expect(piece).toMatchObject({ rewrites: true, unfinished: true });
    expect(emitted.at(-1)).toEqual({ text: "100%", rewrites: true });
  });

  test("a long line is shown in several pieces without losing anything", () => {
    const { emitted, push } = lines();
    const text = `${"x".repeat(32 * 1024 - 1)}😀${"y".repeat(100_000)}`;
    for (let at = 0; at < text.length; at += 40_000) push(Buffer.from(text).subarray(at, at + 40_000));
    push(Buffer.from(text).subarray(160_000));
    push("\nnext\n");
    expect(emitted.at(-1)).toEqual({ text: "next" });
    const pieces = emitted.slice(0, -1);
    expect(pieces.map((piece) => piece.text).join("")).toBe(text);
    expect(pieces.map(({ continues }) => continues ?? false)).toEqual([false, ...pieces.slice(1).map(() => true)]);
    expect(pieces.at(-1)?.unfinished).toBeUndefined();
    for (const piece of pieces) expect(Buffer.byteLength(piece.text)).toBeLessThan(200_000);
  });
});
