import { visible } from "./visible.ts";

/** A column. `yields`: it is cut if the table would be too wide. `paint` colours a cell after it is padded to the column's width. */
export type Column<T> = {
  readonly title: string;
  readonly of: (row: T) => string;
  readonly align?: "left" | "right";
  readonly yields?: boolean;
  readonly paint?: (cell: string, row: T) => string;
};

export type TableOptions = {
  /** The text to print if the table has no rows. */
  readonly empty: string;
  /** Maximum width in columns, which columns that do not yield may exceed. @default no bound */
  readonly width?: number;
};

/** The minimum width of a column that yields. */
const minWidth = 12;

/** Returns the lines of a plain table, as wide as its content. */
export function tableLines<T>(rows: readonly T[], columns: readonly Column<T>[], options: TableOptions | string): string[] {
  const { empty, width = Number.POSITIVE_INFINITY } = typeof options === "string" ? { empty: options } : options;
  return rows.length === 0 ? [empty] : openTable(columns, width)(rows);
}

/** Opens a table whose rows arrive in parts. Returns a function that formats a part; the first has the titles. Columns never shrink. */
export function openTable<T>(columns: readonly Column<T>[], width: number): (rows: readonly T[]) => string[] {
  let widest = columns.map(({ title }) => title.length);
  let isBegun = false;
  return (rows) => {
    if (rows.length === 0) return [];
    const cells = rows.map((row) => columns.map((column) => inOneLine(column.of(row))));
    widest = widest.map((before, index) => cells.reduce((most, line) => Math.max(most, line[index]?.length ?? 0), before));
    const lines = linesOf({ rows, cells, columns, widths: fitted(columns, widest, width) });
    const shown = isBegun ? lines.slice(1) : lines;
    isBegun = true;
    return shown;
  };
}

type Part<T> = {
  readonly rows: readonly T[];
  readonly cells: readonly (readonly string[])[];
  readonly columns: readonly Column<T>[];
  readonly widths: readonly number[];
};

function linesOf<T>({ rows, cells, columns, widths }: Part<T>): string[] {
  const cell = (column: Column<T>, at: { index: number; value: string }): string => {
    const to = widths[at.index] ?? 0;
    const value = cut(at.value, to);
    return column.align === "right" ? value.padStart(to) : value.padEnd(to);
  };
  // The padding of the last cell is removed before the cell is painted, because trimEnd does not see it behind colours.
  const line = (values: readonly string[], row?: T): string => {
    const padded = columns.map((column, index) => cell(column, { index, value: values[index] ?? "" }));
    const last = padded.findLastIndex((value) => value.trim() !== "");
    return columns
      .slice(0, last + 1)
      .map((column, index) => {
        const value = (index === last ? padded[index]?.trimEnd() : padded[index]) ?? "";
        return row === undefined || !column.paint ? value : column.paint(value, row);
      })
      .join("  ");
  };
  return [line(columns.map((column) => column.title)), ...rows.map((row, index) => line(cells[index] ?? [], row))];
}

/** Returns a cell as it is printed, so that its length is its width. Line breaks become blanks, because they would end the row. */
const inOneLine = (text: string): string => visible(text.replaceAll(/[\r\n]+/g, " "));

function fitted<T>(columns: readonly Column<T>[], widths: readonly number[], most: number): number[] {
  let over = widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1) - most;
  return widths.map((width, index) => {
    const column = columns[index];
    if (!column?.yields || over <= 0) return width;
    const narrower = Math.max(minWidth, column.title.length, width - over);
    over -= Math.max(0, width - narrower);
    return Math.min(width, narrower);
  });
}

/** Cuts a text to a number of columns, with an ellipsis at the end if it was longer. */
export const cut = (text: string, most: number): string =>
  text.length > most
    ? `${text
        .slice(0, most - 1)
        .toWellFormed()
        .replace(/\ufffd$/, "")}…`
    : text;
