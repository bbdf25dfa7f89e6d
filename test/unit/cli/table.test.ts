import { expect, it } from "vitest";
import { type Column, tableLines } from "../../../lib/cli/table.ts";

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

it("no line ends in blanks", () => {
  expect(tableLines([{ name: "", count: 1 }], columns.slice(0, 1), "none")).toEqual(["NAME", ""]);
});

it("an empty table says what is missing", () => {
  expect(tableLines([], columns, "no jobs")).toEqual(["no jobs"]);
});
