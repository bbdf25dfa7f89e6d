import { describe, expect, it } from "vitest";
import type { LogLineView } from "../../../lib/api/views/logs.ts";
import { logPrinter } from "../../../lib/cli/views/log-printer.ts";

type Piece = Omit<LogLineView, "at">;

/** Returns what is on stdout after these pieces. */
function printed(pieces: readonly (Piece & { rank?: number })[], { isTerminal = false, names = false, raw = false } = {}): string {
  let text = "";
  const printer = logPrinter(
    {
      jobLog: (line, { open, rewrites } = {}) => {
        text += `${rewrites ? "<CR>" : ""}${line}${open ? "" : "\n"}`;
      },
      raw: (bytes) => {
        text += `raw:${bytes}`;
      },
      isTerminal,
    },
    { names, raw },
  );
  for (const { rank = 0, ...piece } of pieces) printer.print({ at: "2026-06-01T00:00:00.000Z", ...piece }, rank);
  printer.end();
  return text;
}

const progress: readonly Piece[] = [
  { text: "10%", unfinished: true },
  { text: "20%", rewrites: true, unfinished: true },
  { text: "100%", rewrites: true },
  { text: "done" },
];

describe("the printer of a log", () => {
  it("the log printer prints an unfinished line at once, and appends its continuation", () => {
    const pieces: readonly Piece[] = [
      { text: "Downloading", unfinished: true },
      { text: "...", continues: true, unfinished: true },
      { text: " done", continues: true },
      { text: "next" },
    ];
    expect(printed(pieces.slice(0, 1))).toBe("Downloading\n");
    expect(printed(pieces)).toBe("Downloading... done\nnext\n");
  });

  it("the log printer rewrites a line on a terminal, and prints each state as a line elsewhere", () => {
    expect(printed(progress, { isTerminal: true })).toBe("10%<CR>20%<CR>100%\ndone\n");
    expect(printed(progress)).toBe("10%\n20%\n100%\ndone\n");
  });

  it("the log printer ends an open line before a line that does not continue it", () => {
    expect(printed([{ text: "open", unfinished: true }, { text: "other" }])).toBe("open\nother\n");
    expect(
      printed(
        [
          { text: "alone", continues: true },
          { text: "too", rewrites: true },
        ],
        { isTerminal: true },
      ),
    ).toBe("alone\ntoo\n");
  });

  it("the log printer separates the lines of members, and prints their ranks", () => {
    const pieces = [
      { text: "a", unfinished: true as const },
      { text: "b", continues: true as const, rank: 1 },
      { text: "c", unfinished: true as const, rank: 1 },
      { text: "d", continues: true as const, rank: 1 },
    ];
    expect(printed(pieces, { names: true })).toBe("[0] a\n[1] b\n[1] cd\n");
  });

  it("the log printer prints raw text unchanged", () => {
    expect(printed([{ text: "\u001b[31mred" }], { raw: true })).toBe("raw:\u001b[31mred\n");
  });
});
