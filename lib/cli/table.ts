export type Column<T> = { readonly title: string; readonly of: (row: T) => string; readonly align?: "left" | "right" };

/** Lines of a plain table, as wide as its content; `empty` when there is no row. */
export function tableLines<T>(rows: readonly T[], columns: readonly Column<T>[], empty: string): string[] {
  if (rows.length === 0) return [empty];
  const cells = rows.map((row) => columns.map((column) => column.of(row)));
  const widths = columns.map((column, index) => Math.max(column.title.length, ...cells.map((line) => line[index]?.length ?? 0)));
  const line = (values: readonly string[]): string =>
    columns
      .map((column, index) =>
        column.align === "right" ? (values[index] ?? "").padStart(widths[index] ?? 0) : (values[index] ?? "").padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)];
}
