import { expect, test } from "vitest";
import { LineSplitter, Tail } from "../../../lib/worker/program/lines.ts";

function split(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

test("lines are complete even if their bytes arrive in pieces", () => {
  expect(split("a", "b\nc\r", "\nd\r\n", "\ne")).toEqual(["ab", "c", "d", "", "e"]);
  const euro = Buffer.from("10 €\n");
  expect(split(euro.subarray(0, 4), euro.subarray(4))).toEqual(["10 €"]);
});

test("a progress bar's carriage returns end lines", () => {
  expect(split("10%\r20%\r", "30%\n")).toEqual(["10%", "20%", "30%"]);
});

test("an endless line is cut and its rest is dropped", () => {
  const [first, second, ...more] = split("x".repeat(40_000), "x".repeat(40_000), "x".repeat(10), "\nnext\n");
  expect(first).toBe(`${"x".repeat(32 * 1024)} [cut]`);
  expect(second).toBe("next");
  expect(more).toEqual([]);
});

test("a line of exactly the greatest length is kept whole", () => {
  const longest = "x".repeat(32 * 1024);
  expect(split(`${longest}\nnext`)).toEqual([longest, "next"]);
  expect(split(longest, "\nnext")).toEqual([longest, "next"]);
  expect(split(`${longest}y\nnext`)).toEqual([`${longest} [cut]`, "next"]);
});

test("the tail keeps the last lines, and returns their last characters", () => {
  const tail = new Tail(3);
  for (const line of ["1", "2", "3", "4"]) tail.push(line);
  expect(tail.text(100)).toBe("2\n3\n4");
  expect(tail.text(4)).toBe("…3\n4");
});
