import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { amount, flag, list, name } from "../../../events/tables/cells.ts";
import { columnLines } from "../../../lib/cli/planning/columns.ts";
import { readTable, type TableKind, tableOf } from "../../../lib/cli/planning/read-table.ts";

const columns = z.strictObject({
  id: name().describe("what it is called"),
  size: amount({ most: 100 }),
  whole: amount({ whole: true, least: 1 }).default(1),
  good: flag().default(true),
  tags: list().default([]),
});
type Thing = z.infer<typeof columns>;
const things: TableKind<Thing> = { noun: "thing", columns, row: columns, key: ({ id }) => id };

const read = (text: string): readonly Thing[] => tableOf("things.csv", text, things);
const wrong = (text: string) => expect(() => read(text));

describe("a table", () => {
  it("is CSV with a header, in any order of columns, and what is empty has its default", () => {
    expect(read("size,id,tags,good\n2.5,a,x|y,no\n\n 3 ,b,,\n")).toEqual([
      { id: "a", size: 2.5, whole: 1, good: false, tags: ["x", "y"] },
      { id: "b", size: 3, whole: 1, good: true, tags: [] },
    ]);
  });

  it("may come from a spreadsheet: tabs, a mark at its beginning, quotes, Windows' line ends", () => {
    expect(read('\uFEFFid\tsize\r\n"a, ""the first"""\t1\r\n')).toEqual([
      { id: 'a, "the first"', size: 1, whole: 1, good: true, tags: [] },
    ]);
  });

  it("is JSON: a list, or an object with one", () => {
    const a = { id: "a", size: 1, whole: 2, good: false, tags: ["x"] };
    expect(read(JSON.stringify([a]))).toEqual([a]);
    expect(read(JSON.stringify({ things: [{ ...a, good: null }] }))).toEqual([{ ...a, good: true }]);
  });
});

describe("what is wrong with one is told with its file, row and field", () => {
  it.each([
    ["a text for a number", "id,size\na,1\nb,many\n", /^things\.csv, row 3, size: a number is wanted, not "many"$/],
    ["NaN", "id,size\na,NaN\n", /row 2, size: a number is wanted, not "NaN"/],
    ["a number without end", "id,size\na,Infinity\n", /row 2, size: a number is wanted, not "Infinity"/],
    ["less than nothing", "id,size\na,-1\n", /row 2, size: a number of at least 0 is wanted, not "-1"/],
    ["too much", "id,size\na,101\n", /row 2, size: a number of at most 100 is wanted, not "101"/],
    ["a part of a whole", "id,size,whole\na,1,1.5\n", /row 2, whole: a whole number is wanted, not "1\.5"/],
    ["neither yes nor no", "id,size,good\na,1,maybe\n", /row 2, good: yes or no is wanted, not "maybe"/],
    ["a missing column", "id,good\na,yes\n", /^things\.csv, row 1: the column size is missing; a thing needs id, size$/],
    ["an empty cell that is needed", "id,size\na,\n", /row 2, size: a number is wanted/],
    ["a column spelt otherwise", "ID,size\na,1\n", /row 1: there is no column ID; did you mean id\?/],
    ["a column with a letter missing", "id,sze\na,1\n", /no column sze; did you mean size\?/],
    ["a column that is not known", "id,size,colour\na,1,red\n", /no column colour; there are: id, size, whole, good, tags/],
    ["a column twice", "id,size,size\na,1,2\n", /has the column size twice/],
    ["a column without a name", "id,size,\na,1,2\n", /there is no column without a name/],
    ["a row that is too short", "id,size\na\n", /row 2: it has 1 cells and the header has 2/],
    ["semicolons between the columns", "id;size\na;1\n", /^things\.csv separates its columns with semicolons.*save it as CSV with commas$/],
    ["a number to the base of sixteen", "id,size\na,0x10\n", /row 2, size: a number is wanted, not "0x10"/],
    ["a number to the base of two", "id,size\na,0b1\n", /row 2, size: a number is wanted, not "0b1"/],
    ["numbers without end", "id,size\na,Infinity\n", /row 2, size: a number is wanted, not "Infinity"/],
    ["a name with a line break", 'id,size\n"a\nb",1\n', /id: a name has no line break and no other control character in it/],
    ["a quote that never ends", 'id,size\n"a,1\n', /^things\.csv is not CSV: /],
    ["one thing twice", "id,size\na,1\nb,1\na,2\n", /row 4: a already exists, in row 2/],
    ["no rows", "id,size\n", /^things\.csv contains no thing$/],
    ["nothing at all", "", /^things\.csv is empty; its first line must name the columns: id,size$/],
    ["blanks", " \n\n", /is empty/],
    ["broken JSON", "[{", /^things\.csv is not JSON: /],
    ["JSON that is no list", '{"id":"a"}', /JSON, but not a list of objects/],
    ["JSON of other things", "[1]", /JSON, but not a list of objects/],
    ["a field missing in JSON", '[{"id":"a","size":1},{"id":"b"}]', /item 2: the column size is missing/],
    ["a number that JSON has not", '[{"id":"a","size":"x"}]', /item 1, size: a number is wanted, not "x"/],
    ["a list for a number", '[{"id":"a","size":[1]}]', /item 1, size: a number is wanted/],
    ["bytes that would colour the terminal", 'a\u009b31m"b,c\n', /^things\.csv is not CSV: \P{C}*a\?31m\P{C}*$/u],
    ["bytes that are no text", "\u0000\u0001\u0002", /there is no column/],
  ])("%s", (_what, text, message) => {
    wrong(text).toThrow(message);
  });

  it("of many the first ten", () => {
    wrong(`id,size\n${Array.from({ length: 12 }, (_, index) => `a${index},x`).join("\n")}`).toThrow(
      /row 11, size: [^\n]*\n {2}and 2 more$/,
    );
  });
});

describe("a file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fleetwright-tables-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("may begin with a byte order mark, as CSV and as JSON", async () => {
    for (const text of ["\uFEFFid,size\na,1\n", '\uFEFF[{"id":"a","size":1}]']) {
      await writeFile(join(folder, "bom.csv"), text);
      expect(await readTable(join(folder, "bom.csv"), things)).toMatchObject([{ id: "a", size: 1 }]);
      expect(tableOf("things.csv", text, things)).toMatchObject([{ id: "a", size: 1 }]);
    }
  });

  it("may be gzipped, whatever it is called", async () => {
    const file = join(folder, "things.csv");
    await writeFile(file, gzipSync("id,size\na,1\n"));
    expect(await readTable(file, things)).toHaveLength(1);
  });

  it("that is broken off, is not there, or is a folder, is said to be", async () => {
    const file = join(folder, "broken.gz");
    await writeFile(file, gzipSync("id,size\na,1\n".repeat(100)).subarray(0, 30));
    await expect(readTable(file, things)).rejects.toThrow(/broken\.gz is gzipped and cannot be unpacked/);
    await expect(readTable(join(folder, "nowhere.csv"), things)).rejects.toThrow(/there is no file .*nowhere\.csv/);
    await expect(readTable(folder, things)).rejects.toThrow(/is a folder, and a file is expected/);
  });
});

it("the columns tell what they are", () => {
  expect(columnLines(columns).split("\n")).toEqual([
    "  id     what it is called (required)",
    "  size    (required)",
    "  whole  ",
    "  good   ",
    "  tags   ",
  ]);
});
