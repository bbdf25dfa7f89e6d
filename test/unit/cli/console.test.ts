import { afterEach, describe, expect, it, vi } from "vitest";
import { visible, visibleLines, visibleLog } from "../../../lib/cli/terminal/visible.ts";
import { aTerminal } from "./streams.ts";

const esc = "\u001b";
afterEach(() => vi.unstubAllEnvs());
const withColours = () => {
  vi.stubEnv("NO_COLOR", undefined);
  vi.stubEnv("FORCE_COLOR", undefined);
  vi.stubEnv("NODE_DISABLE_COLORS", undefined);
  vi.stubEnv("TERM", "xterm-256color");
  vi.stubEnv("CI", undefined);
};

describe("the filter for text from elsewhere", () => {
  it.each([
    ["a clipboard sequence", `a${esc}]52;c;Y3VybA==\u0007b`, "a\\u001b]52;c;Y3VybA==\\u0007b"],
    ["a C1 control character", "a\u009b31mb", "a\\u009b31mb"],
    ["DEL", "a\u007fb", "a\\u007fb"],
    ["a carriage return", "good\rbad", "good\\u000dbad"],
    ["a backspace", "bad\b\b\bgood", "bad\\u0008\\u0008\\u0008good"],
    ["a right-to-left override", "a\u202egpj.exe", "a\\u202egpj.exe"],
    ["an isolate", "a\u2066b\u2069", "a\\u2066b\\u2069"],
    ["a zero-width space", "a\u200bb", "a\\u200bb"],
    ["a line separator", "a\u2028b", "a\\u2028b"],
    ["a lone surrogate", "a\ud800b", "a\\ud800b"],
    ["a tag character", "a\u{e0041}b", "a\\udb40\\udc41b"],
  ])("the filter escapes %s", (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("the filter does not change ordinary text", () => {
    const text = "naïve 数据 данные 👩‍💻 می‌خواهم\ttab $5 \\u001b";
    expect(visible(text)).toBe(text);
  });

  it("the filter indents further lines, so that text cannot look like a line of our own", () => {
    expect(visibleLines("exit code 1\nstate      succeeded\r\n\tat")).toBe("exit code 1\n  state      succeeded\n\tat");
  });
});

describe("the filter for lines of a job's log", () => {
  const bar = `${esc}[?25l${esc}[32mepoch 1${esc}[39m${esc}[K ${esc}]0;title\u0007`;
  it("a log line keeps its colours if they are requested, and they end with the line", () => {
    expect(visibleLog(bar, { colours: true })).toBe(`${esc}[32mepoch 1${esc}[39m \\u001b]0;title\\u0007${esc}[0m`);
  });

  it("a log line loses its colours if they are not requested", () => {
    expect(visibleLog(bar, { colours: false })).toBe("epoch 1 \\u001b]0;title\\u0007");
  });

  it("a log line without control characters does not change", () => {
    expect(visibleLog("loss 0.3\tacc 0.9", { colours: true })).toBe("loss 0.3\tacc 0.9");
  });
});

describe("the console", () => {
  const evil = `x${esc}[2K${esc}[1Aall jobs succeeded`;

  it("the console filters results, notes and progress", () => {
    const { console, written } = aTerminal({ isTTY: true, columns: 100 });
    console.out(evil);
    console.note(evil);
    expect(written()).toEqual({
      stdout: "x\\u001b[2K\\u001b[1Aall jobs succeeded\n",
      stderr: "x\\u001b[2K\\u001b[1Aall jobs succeeded\n",
    });
    console.progress(evil);
    expect(written().stderr).toContain(`${esc}[Kx\\u001b[2K\\u001b[1Aall jobs succeeded`);
  });

  it("the console shows its own colours on a terminal, but not those in the text itself", () => {
    withColours();
    const { console, written } = aTerminal({ isTTY: true });
    console.out(`a ${console.paint("green", `fine${esc}[31m`)} b ${esc}[32mnot ours${esc}[0m`);
    expect(written().stdout).toBe(`a ${esc}[32mfine\\u001b[31m${esc}[39m b \\u001b[32mnot ours\\u001b[0m\n`);
  });

  it("the console prints no colours if stdout is piped or NO_COLOR is set", () => {
    withColours();
    const piped = aTerminal({ isTTY: false });
    piped.console.out(piped.console.paint("red", "failed"));
    piped.console.jobLog(`${esc}[31mred${esc}[0m`);
    vi.stubEnv("NO_COLOR", "1");
    const plain = aTerminal({ isTTY: true });
    plain.console.out(plain.console.paint("red", "failed"));
    plain.console.jobLog(`${esc}[31mred${esc}[0m`);
    for (const { written } of [piped, plain]) expect(written().stdout).toBe("failed\nred\n");
  });

  it("the console keeps the colours of a log on a terminal", () => {
    withColours();
    const { console, written } = aTerminal({ isTTY: true });
    console.jobLog(`${esc}[31mred${esc}]0;t\u0007`);
    expect(written().stdout).toBe(`${esc}[31mred\\u001b]0;t\\u0007${esc}[0m\n`);
  });

  it("the console rewrites a progress bar's line on a terminal, and writes nothing else on an open line", () => {
    const { console, written } = aTerminal({ isTTY: true });
    console.jobLog("10%", { open: true });
    console.progress("waiting for the API");
    console.jobLog("20%", { rewrites: true });
    expect(written()).toEqual({ stdout: `10%\r${esc}[K20%\n`, stderr: "" });
  });

  it("the console does not change the meaning of JSON, whatever is in it", () => {
    const { console, written } = aTerminal({ isTTY: false });
    const value = { reason: "\u0000\u001b\u007f\u009b\u202e\u2028\u200b\ud800\u{e0041}\n\t\\u001b ok" };
    console.out(JSON.stringify(value));
    expect(written().stdout).not.toMatch(/[^\n\u0020-\u007e]/);
    expect(JSON.parse(written().stdout)).toEqual(value);
  });

  it("the console prints raw text without a filter", () => {
    const { console, written } = aTerminal({ isTTY: true });
    console.raw(evil);
    expect(written().stdout).toBe(evil);
  });
});

describe("the progress on the console", () => {
  const wiped = `\r${esc}[K`;

  it("on a terminal, the progress is rewritten in place, below what is printed meanwhile, until it is cleared", () => {
    const { console, written } = aTerminal({ isTTY: true, columns: 100 });
    console.progress("packing … 1 s");
    console.progress("packing … 2 s");
    console.out("a result");
    console.note("a note");
    console.progress(undefined);
    console.note("the end");
    expect(written().stdout).toBe("a result\n");
    expect(written().stderr).toBe(
      [
        `${wiped}packing … 1 s`,
        `${wiped}${wiped}packing … 2 s`,
        // The result is on the other stream.
        `${wiped}${wiped}packing … 2 s`,
        `${wiped}a note\n${wiped}packing … 2 s`,
        `${wiped}the end\n`,
      ].join(""),
    );
  });

  it.each([
    [100, 99],
    [30, 29],
    [5, 20],
  ])("on a terminal of %i columns, the progress has at most %i characters", (columns, length) => {
    const { console, written } = aTerminal({ isTTY: true, columns });
    console.progress("x".repeat(200));
    expect(written().stderr).toBe(`${wiped}${"x".repeat(length)}`);
  });

  it("the progress waits until an open line of a log has ended", () => {
    const { console, written } = aTerminal({ isTTY: true, columns: 100 });
    console.raw("no end");
    console.progress("packing … 1 s");
    expect(written().stderr).toBe("");
    console.raw("\n");
    console.progress("packing … 2 s");
    expect(written().stderr).toBe(`${wiped}packing … 2 s`);
    console.jobLog("10%", { open: true });
    console.jobLog("20%");
    expect(written()).toEqual({ stdout: "no end\n10%20%\n", stderr: `${wiped}packing … 2 s${wiped}${wiped}${wiped}packing … 2 s` });
  });

  it("without a terminal, the progress is a line at first, and then at most every ten seconds", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const { console, written } = aTerminal({ isTTY: false });
      for (const second of [0, 9.999, 10, 15, 20]) {
        vi.advanceTimersByTime(second * 1_000 - performance.now());
        console.progress(`at ${second} s`);
        console.progress(undefined);
      }
      expect(written().stderr).toBe("at 0 s\nat 10 s\nat 20 s\n");
      expect(written().stdout).toBe("");
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    [{ isTTY: true, columns: 80 }, 100],
    [{ isTTY: true, columns: 120 }, 120],
    [{ isTTY: false }, Number.POSITIVE_INFINITY],
  ])("a table on %j is at most %d columns wide", (stream, width) => {
    const { console } = aTerminal(stream);
    expect([console.width, console.isTerminal]).toEqual([width, stream.isTTY]);
  });

  it("bytes are written as they are, and the next ones wait while the stream is full", async () => {
    const { console, written } = aTerminal({ isTTY: false });
    await console.bytes(Buffer.from("abc"));
    expect(written().stdout).toBe("abc");
  });
});
