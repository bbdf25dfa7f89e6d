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
  it("a table is CSV with a header and any order of columns, and empty cells get their defaults", () => {
    expect(read("size,id,tags,good\n2.5,a,x|y,no\n\n 3 ,b,,\n")).toEqual([
      { id: "a", size: 2.5, whole: 1, good: false, tags: ["x", "y"] },
      { id: "b", size: 3, whole: 1, good: true, tags: [] },
    ]);
  });

  it("a table may have tabs, a byte order mark, quotes and Windows line ends, as spreadsheets write them", () => {
    expect(read('\uFEFFid\tsize\r\n"a, ""the first"""\t1\r\n')).toEqual([
      { id: 'a, "the first"', size: 1, whole: 1, good: true, tags: [] },
    ]);
  });

  it("a table may be JSON: a list, or an object with one list", () => {
    const a = { id: "a", size: 1, whole: 2, good: false, tags: ["x"] };
    expect(read(JSON.stringify([a]))).toEqual([a]);
    expect(read(JSON.stringify({ things: [{ ...a, good: null }] }))).toEqual([{ ...a, good: true }]);
  });
});

describe("the errors of a table", () => {
  it.each([
    ["a text for a number", "id,size\na,1\nb,many\n", /^things\.csv, row 3, size: must be a number, not "many"$/],
    ["NaN", "id,size\na,NaN\n", /row 2, size: must be a number, not "NaN"/],
    ["infinity", "id,size\na,Infinity\n", /row 2, size: must be a number, not "Infinity"/],
    ["a number below the minimum", "id,size\na,-1\n", /row 2, size: must be at least 0, not "-1"/],
    ["a number above the maximum", "id,size\na,101\n", /row 2, size: must be at most 100, not "101"/],
    ["a fraction for a whole number", "id,size,whole\na,1,1.5\n", /row 2, whole: must be a whole number, not "1\.5"/],
    ["a value that is neither yes nor no", "id,size,good\na,1,maybe\n", /row 2, good: must be yes or no, not "maybe"/],
    ["a missing column", "id,good\na,yes\n", /^things\.csv, row 1: the column size is missing; a thing needs id, size$/],
    ["an empty cell in a required column", "id,size\na,\n", /row 2, size: must be a number/],
    ["a column in another spelling", "ID,size\na,1\n", /row 1: there is no column ID; did you mean id\?/],
    ["a column with a letter missing", "id,sze\na,1\n", /no column sze; did you mean size\?/],
    ["an unknown column", "id,size,colour\na,1,red\n", /no column colour; there are: id, size, whole, good, tags/],
    ["a repeated column", "id,size,size\na,1,2\n", /has the column size twice/],
    ["a column without a name", "id,size,\na,1,2\n", /there is no column without a name/],
    ["a row that is too short", "id,size\na\n", /row 2: it has 1 cells and the header has 2/],
    ["semicolons between the columns", "id;size\na;1\n", /^things\.csv separates its columns with semicolons.*save it as CSV with commas$/],
    ["a hexadecimal number", "id,size\na,0x10\n", /row 2, size: must be a number, not "0x10"/],
    ["a binary number", "id,size\na,0b1\n", /row 2, size: must be a number, not "0b1"/],
    ["infinity in a cell", "id,size\na,Infinity\n", /row 2, size: must be a number, not "Infinity"/],
    ["a name with a line break", 'id,size\n"a\nb",1\n', /id: must not contain line breaks or other control characters/],
    ["a quote without an end", 'id,size\n"a,1\n', /^things\.csv is not CSV: /],
    ["a repeated row", "id,size\na,1\nb,1\na,2\n", /row 4: a already exists, in row 2/],
    ["no rows", "id,size\n", /^things\.csv contains no thing$/],
    ["an empty file", "", /^things\.csv is empty; its first line must name the columns: id,size$/],
    ["a file of blanks", " \n\n", /is empty/],
    ["broken JSON", "[{", /^things\.csv is not JSON: /],
    ["JSON that is not a list", '{"id":"a"}', /JSON, but not a list of objects/],
    ["a JSON list without objects", "[1]", /JSON, but not a list of objects/],
    ["a missing field in JSON", '[{"id":"a","size":1},{"id":"b"}]', /item 2: the column size is missing/],
    ["a text for a number in JSON", '[{"id":"a","size":"x"}]', /item 1, size: must be a number, not "x"/],
    ["a list for a number in JSON", '[{"id":"a","size":[1]}]', /item 1, size: must be a number/],
    ["bytes that would colour the terminal", 'a\u009b31m"b,c\n', /^things\.csv is not CSV: \P{C}*a\?31m\P{C}*$/u],
    ["bytes that are not text", "\u0000\u0001\u0002", /there is no column/],
  ])("a table is refused, with file, row and field, for %s", (_what, text, message) => {
    wrong(text).toThrow(message);
  });

  it("the error of a table lists only the first ten problems", () => {
    wrong(`id,size\n${Array.from({ length: 12 }, (_, index) => `a${index},x`).join("\n")}`).toThrow(
      /row 11, size: [^\n]*\n {2}and 2 more$/,
    );
  });
});

describe("the file of a table", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fleetwright-tables-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("the file of a table may begin with a byte order mark, as CSV and as JSON", async () => {
    for (const text of ["\uFEFFid,size\na,1\n", '\uFEFF[{"id":"a","size":1}]']) {
      await writeFile(join(folder, "bom.csv"), text);
      expect(await readTable(join(folder, "bom.csv"), things)).toMatchObject([{ id: "a", size: 1 }]);
      expect(tableOf("things.csv", text, things)).toMatchObject([{ id: "a", size: 1 }]);
    }
  });

  it("the file of a table may be UTF-16, as PowerShell writes it", async () => {
    await writeFile(join(folder, "wide.csv"), Buffer.from("\uFEFFid,size\na,1\n", "utf16le"));
    expect(await readTable(join(folder, "wide.csv"), things)).toMatchObject([{ id: "a", size: 1 }]);
  });

  it("the file of a table may be gzipped, whatever its name", async () => {
    const file = join(folder, "things.csv");
    await writeFile(file, gzipSync("id,size\na,1\n"));
    expect(await readTable(file, things)).toHaveLength(1);
  });

  it("the file of a table is refused if it is truncated, does not exist, or is a folder", async () => {
    const file = join(folder, "broken.gz");
    await writeFile(file, gzipSync("id,size\na,1\n".repeat(100)).subarray(0, 30));
    await expect(readTable(file, things)).rejects.toThrow(/broken\.gz is gzipped and cannot be unpacked/);
    await expect(readTable(join(folder, "nowhere.csv"), things)).rejects.toThrow(/there is no file .*nowhere\.csv/);
    await expect(readTable(folder, things)).rejects.toThrow(/is a folder, and a file is expected/);
  });
});

it("the help about a table lists its columns with their descriptions", () => {
  expect(columnLines(columns).split("\n")).toEqual([
    "  id     what it is called (required)",
    "  size    (required)",
    "  whole  ",
    "  good   ",
    "  tags   ",
  ]);
});
