import { CsvError, parse } from "csv-parse/sync";
import * as z from "zod";
import { withoutBom } from "../../../events/json.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { UsageError } from "../invocation/exit.ts";
import { cut } from "../terminal/table.ts";

/** One raw record of a file: `row 3` of a table or `item 2` of a list. Empty cells are left out. */
export type RawRecord = { readonly at: string; readonly value: Readonly<Record<string, unknown>> };
/** The records of a file. `columns` are those of the header; undefined for JSON, where each item names its own. */
export type Records = { readonly columns?: readonly string[] | undefined; readonly found: readonly RawRecord[] };

/** Parses a text: as JSON if it begins like JSON, otherwise as CSV with a header. */
export const recordsOf = (file: string, text: string): Records =>
  /^\uFEFF?\s*[[{]/.test(text) ? jsonRecords(file, withoutBom(text)) : csvRecords(file, withoutBom(text));

const List = z.array(z.record(z.string(), z.unknown()));

/** Parses a list of objects, or an object with exactly one field that is a list. */
function jsonRecords(file: string, text: string): Records {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${inWords(error)}`, { cause: error });
  }
  const lists = Array.isArray(value) ? [value] : Object.values(value ?? {}).filter(Array.isArray);
  const parsed = List.safeParse(lists[0]);
  if (lists.length !== 1 || !parsed.success) throw new UsageError(`${file} is JSON, but not a list of objects, for example [{"id": "a"}]`);
  return {
    found: parsed.data.map((item, index) => ({
      at: `item ${index + 1}`,
      value: Object.fromEntries(Object.entries(item).filter(([, cell]) => cell !== null && cell !== "")),
    })),
  };
}

const Rows = z.array(z.object({ record: z.array(z.string()), info: z.object({ lines: z.number() }) }));

/** Parses CSV. Rows are counted like lines in an editor: the header is the first. */
function csvRecords(file: string, text: string): Records {
  const [header, ...rows] = parsedCsv(file, text);
  if (!header) return { columns: [], found: [] };
  const columns = header.record;
  if (columns.length === 1 && columns[0]?.includes(";"))
    throw new UsageError(`${file} separates its columns with semicolons; save it as CSV with commas`);
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice !== undefined) throw new UsageError(`${file} has the column ${twice || "without a name"} twice`);
  return {
    columns,
    found: rows.map(({ record, info }) => {
      if (record.length !== columns.length)
        throw new UsageError(`${file}, row ${info.lines}: it has ${record.length} cells and the header has ${columns.length}`);
      const cells = columns.map((column, index): [string, string] => [column, record[index] ?? ""]);
      return { at: `row ${info.lines}`, value: Object.fromEntries(cells.filter(([, cell]) => cell !== "")) };
    }),
  };
}

function parsedCsv(file: string, text: string): z.infer<typeof Rows> {
  try {
    return Rows.parse(parse(text, { delimiter: [",", "\t"], info: true, relax_column_count: true, skip_empty_lines: true, trim: true }));
  } catch (error) {
    if (error instanceof CsvError) throw new UsageError(`${file} is not CSV: ${printable(inWords(error))}`, { cause: error });
    throw error;
  }
}

/** Replaces control characters, because a binary file must not control the terminal. */
const printable = (text: string): string => cut(text.replaceAll(/[\p{C}\uFFFD]/gu, "?"), 200);
