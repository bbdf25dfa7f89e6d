import { expect, it } from "vitest";
import { type Column, cut, tableLines } from "../../../lib/cli/terminal/table.ts";

type Row = { readonly name: string; readonly count: number };
const columns: Column<Row>[] = [
  { title: "NAME", of: (row) => row.name },
  { title: "N", of: (row) => String(row.count), align: "right" },
];

it("a table is as wide as its content", () => {
  const rows = [
    { name: "a", count: 7 },
    { name: "longest", count: 1234 },
  ];
  expect(tableLines(rows, columns, "none")).toEqual(["NAME        N", "a           7", "longest  1234"]);
});

it("no line of a table ends with blanks", () => {
  expect(tableLines([{ name: "", count: 1 }], columns.slice(0, 1), "none")).toEqual(["NAME", ""]);
});

it("a table without rows prints the text for an empty table", () => {
  expect(tableLines([], columns, "no jobs")).toEqual(["no jobs"]);
});

it("a cell is printed on one line, and is as wide as its printed text", () => {
  const rows = [
    { name: "a\r\nb", count: 1 },
    { name: "\u001b[31m", count: 22 },
  ];
  expect(tableLines(rows, columns, "none")).toEqual(["NAME         N", "a b          1", "\\u001b[31m  22"]);
});

it("cutting a text does not split a character", () => {
  expect(cut("ab👩cd", 4)).toBe("ab…");
  expect(cut("ab👩cd", 5)).toBe("ab👩…");
});
