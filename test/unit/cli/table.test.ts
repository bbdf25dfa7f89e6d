import { describe, expect, it } from "vitest";
import { type Column, cut, openTable, tableLines } from "../../../lib/cli/terminal/table.ts";

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

it.each([
  ["abcde", 5, "abcde"],
  ["abcdef", 5, "abcd…"],
  ["abc", 1, "…"],
])("the text %j is cut to %i columns only if it is longer", (text, most, shown) => {
  expect(cut(text, most)).toBe(shown);
});

describe("a table that would be too wide", () => {
  type Wide = { readonly id: string; readonly why: string; readonly where: string };
  const wide: Column<Wide>[] = [
    { title: "ID", of: ({ id }) => id },
    { title: "WHY", of: ({ why }) => why, yields: true },
    { title: "WHERE", of: ({ where }) => where, yields: true },
  ];
  const row = { id: "i".repeat(10), why: "w".repeat(30), where: "x".repeat(20) };
  const at = (width: number): string => tableLines([row], wide, { empty: "none", width })[1] ?? "";

  it("a table that fits exactly is not cut", () => {
    expect(at(64)).toBe(`${row.id}  ${row.why}  ${row.where}`);
  });

  it.each([
    [63, 29, 20],
    [46, 12, 20],
    [45, 12, 19],
    [38, 12, 12],
    [10, 12, 12],
  ])("in %i columns, the cells that yield get %i and %i columns, the first one as long as it can", (width, why, where) => {
    expect(at(width)).toBe(`${row.id}  ${cut(row.why, why)}  ${cut(row.where, where)}`);
  });

  it("a column is never narrower than its title, and a short one stays as it is", () => {
    const titled: Column<Wide>[] = [
      { title: "A LONG TITLE OF 20 C", of: ({ why }) => why, yields: true },
      { title: "N", of: () => "short", yields: true },
    ];
    expect(tableLines([row], titled, { empty: "none", width: 5 })).toEqual(["A LONG TITLE OF 20 C  N", `${cut(row.why, 20)}  short`]);
  });
});

describe("a table whose rows arrive in parts", () => {
  it("a table has its titles once, and its columns never shrink", () => {
    const part = openTable(columns, 100);
    expect(part([])).toEqual([]);
    expect(part([{ name: "longest", count: 1 }])).toEqual(["NAME     N", "longest  1"]);
    expect(part([])).toEqual([]);
    expect(part([{ name: "a", count: 22 }])).toEqual(["a        22"]);
    expect(part([{ name: "b", count: 3 }])).toEqual(["b         3"]);
  });
});

it("a cell is coloured with its padding, the last one without, and titles are not coloured", () => {
  const paint = (cell: string, { count }: Row): string => `<${count}:${cell}>`;
  const painted: Column<Row>[] = [
    { title: "NAME", of: ({ name }) => name, paint },
    { title: "AGAIN", of: ({ name }) => name, paint },
  ];
  expect(tableLines([{ name: "a", count: 1 }], painted, "none")).toEqual(["NAME  AGAIN", "<1:a   >  <1:a>"]);
});
