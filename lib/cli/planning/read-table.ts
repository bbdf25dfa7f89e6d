import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type * as z from "zod";
import { checked, lineOf } from "../../../events/checked.ts";
import { inWords } from "../../model/errors/in-words.ts";
import { decoded } from "../../model/files/decoded.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { UsageError } from "../invocation/exit.ts";
import { fileTrouble } from "../invocation/file-trouble.ts";
import { columnsOf, requiredColumns } from "./columns.ts";
import { type RawRecord, type Records, recordsOf } from "./records.ts";

/** A kind of table: its columns, and the type of a row. */
export type TableKind<T> = {
  /** The noun for a row, for example "job". */
  readonly noun: string;
  readonly columns: z.ZodObject;
  readonly row: z.ZodType<T>;
  /** Returns the key of a row, which must be unique. Undefined if rows may be equal. */
  readonly key?: ((row: T) => string) | undefined;
};

/** The most errors that are listed. A few are enough even if there are a thousand. */
const maxNamed = 10;

/** One kind of table or several; the first is the default. */
type Kinds<T> = readonly [TableKind<T>, ...TableKind<T>[]];

/** Reads a table from CSV or JSON. Throws a UsageError that names the file, the row and the field of each error. */
export const readTable = async <T>(file: string, ...kinds: Kinds<T>): Promise<readonly T[]> =>
  tableOf(file, await readText(file), ...kinds);

/** Parses a table from a text. `file` is its name in errors. */
export function tableOf<T>(file: string, text: string, ...kinds: Kinds<T>): readonly T[] {
  const records = recordsOf(file, text);
  const kind = kindOf(records, kinds);
  if (records.columns?.length === 0)
    throw new UsageError(`${file} is empty; its first line must name the columns: ${requiredColumns(kind.columns).join(",")}`);
  refuseColumns(file, records, kind);
  if (records.found.length === 0) throw new UsageError(`${file} contains no ${kind.noun}`);
  const wrong: string[] = [];
  const rows = records.found.flatMap((found) => {
    const row = checked(kind.row, found.value);
    if (row.kind === "good") return [row.value];
    wrong.push(...row.wrong.map((each) => `${file}, ${found.at}, ${lineOf(each, "as a whole")}`));
    return [];
  });
  if (wrong.length === 0) wrong.push(...twice(file, records.found, { rows, key: kind.key }));
  if (wrong.length === 0) return rows;
  const more = wrong.length > maxNamed ? [`and ${wrong.length - maxNamed} more`] : [];
  throw new UsageError([...wrong.slice(0, maxNamed), ...more].join("\n  "));
}

/** Returns the kind that has the most columns in common with the table. */
function kindOf<T>({ columns, found }: Records, kinds: Kinds<T>): TableKind<T> {
  const given = columns ?? Object.keys(found[0]?.value ?? {});
  const known = (kind: TableKind<T>): number => given.filter((column) => columnsOf(kind.columns).includes(column)).length;
  return kinds.reduce((best, kind) => (known(kind) > known(best) ? kind : best));
}

/** Throws a UsageError if a column is unknown or missing. For CSV it checks the header, for JSON each item. */
function refuseColumns(file: string, { columns, found }: Records, kind: Pick<TableKind<unknown>, "columns" | "noun">): void {
  const known = columnsOf(kind.columns);
  const all = columns === undefined ? found : [{ at: "row 1", value: Object.fromEntries(columns.map((column) => [column, ""])) }];
  for (const { at, value } of all) {
    const missing = requiredColumns(kind.columns).find((name) => !(name in value));
    const foreign = Object.keys(value).find((name) => !known.includes(name));
    if (foreign !== undefined)
      throw new UsageError(`${file}, ${at}: there is no column ${foreign || "without a name"}${hint(foreign, known)}`);
    if (missing !== undefined)
      throw new UsageError(
        `${file}, ${at}: the column ${missing} is missing; a ${kind.noun} needs ${requiredColumns(kind.columns).join(", ")}`,
      );
  }
}

/** Suggests the known column that is spelt like this one, or lists all columns. */
function hint(foreign: string, known: readonly string[]): string {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const meant = known.find((name) => plain(name) === plain(foreign)) ?? known.find((name) => isNear(plain(name), plain(foreign)));
  return meant === undefined ? `; there are: ${known.join(", ")}` : `; did you mean ${meant}?`;
}

/** Returns whether one name contains the other, or they differ by one letter. */
function isNear(one: string, other: string): boolean {
  if (other.length < 3) return false;
  if (one.includes(other) || other.includes(one)) return true;
  if (Math.abs(one.length - other.length) > 1) return false;
  const at = [...one].findIndex((letter, index) => letter !== other[index]);
  const rest = (text: string, skipped: number): string => text.slice(at + skipped);
  return rest(one, 1) === rest(other, 1) || rest(one, 1) === rest(other, 0) || rest(one, 0) === rest(other, 1);
}

function twice<T>(
  file: string,
  found: readonly RawRecord[],
  { rows, key }: { readonly rows: readonly T[] } & Pick<TableKind<T>, "key">,
): string[] {
  if (!key) return [];
  const first = new Map<string, string>();
  return rows.flatMap((row, index) => {
    const at = found[index]?.at ?? "";
    const before = first.get(key(row));
    if (before === undefined) first.set(key(row), at);
    return before === undefined ? [] : [`${file}, ${at}: ${key(row)} already exists, in ${before}`];
  });
}

/** Limit of an unpacked file. A list of jobs is never larger, and a malicious archive could unpack without end. */
const maxBytes = 512 * 1024 * 1024;

/** Returns the text of a file, unpacked if it is gzipped, whatever its name. `-` is standard input. */
async function readText(file: string): Promise<string> {
  const bytes = file === "-" ? await buffer(process.stdin) : await bytesOf(file);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = isPacked ? await unpacked(file, bytes) : bytes;
  return decoded(text);
}

const unpacked = (file: string, bytes: Buffer): Promise<Buffer> =>
  promisify(gunzip)(bytes, { maxOutputLength: maxBytes }).catch((error: unknown) => {
    throw new UsageError(`${file} is gzipped and cannot be unpacked: ${inWords(error)}`, { cause: error });
  });

const bytesOf = (file: string): Promise<Buffer> =>
  readFile(asMeant(file)).catch((error: unknown) => {
    throw fileTrouble(error, file);
  });
