import { CsvError, parse } from "csv-parse/sync";
import * as z from "zod";
import { withoutBom } from "../../../events/json.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { UsageError } from "../invocation/exit.ts";
import { cut } from "../terminal/table.ts";

/** One thing of a file as it stands there: `row 3` of a table, `item 2` of a list. Empty cells are left out. */
export type Found = { readonly at: string; readonly value: Readonly<Record<string, unknown>> };
/** `columns`: what the header of a table names; absent in JSON, where each item has its own. */
export type Records = { readonly columns?: readonly string[] | undefined; readonly found: readonly Found[] };

/** What a text holds: JSON if it begins as that does, else CSV with a header. */
export const recordsOf = (file: string, text: string): Records =>
  /^\uFEFF?\s*[[{]/.test(text) ? jsonRecords(file, withoutBom(text)) : csvRecords(file, withoutBom(text));

const List = z.array(z.record(z.string(), z.unknown()));

/** A list of objects, or an object of which one field is such a list. */
function jsonRecords(file: string, text: string): Records {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${inWords(error)}`, { cause: error });
  }
  const lists = Array.isArray(value) ? [value] : Object.values(value ?? {}).filter(Array.isArray);
  const parsed = List.safeParse(lists[0]);
  if (lists.length !== 1 || !parsed.success) throw new UsageError(`${file} is JSON, but not a list of objects, such as [{"id": "a"}]`);
  return {
    found: parsed.data.map((item, index) => ({
      at: `item ${index + 1}`,
      value: Object.fromEntries(Object.entries(item).filter(([, cell]) => cell !== null && cell !== "")),
    })),
  };
}

const Rows = z.array(z.object({ record: z.array(z.string()), info: z.object({ lines: z.number() }) }));

/** Rows are counted as an editor counts lines: the header is the first. */
function csvRecords(file: string, text: string): Records {
  const [header, ...rows] = parsedCsv(file, text);
  if (!header) return { columns: [], found: [] };
  const columns = header.record;
  if (columns.length === 1 && columns[0]?.includes(";"))
    throw new UsageError(`${file} has semicolons between its columns, and commas are expected; save it as CSV with commas`);
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

/** What is no text at all must not do things to the terminal. */
const printable = (text: string): string => cut(text.replaceAll(/[\p{C}\uFFFD]/gu, "?"), 200);
