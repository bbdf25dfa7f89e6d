import type * as z from "zod";

/** Returns the names of a table's columns, in the order in which they are listed. */
export const columnsOf = ({ shape }: z.ZodObject): readonly string[] => Object.keys(shape);

/** Returns the columns that every row must have. */
export const requiredColumns = ({ shape }: z.ZodObject): readonly string[] =>
  Object.entries<z.ZodType>(shape).flatMap(([name, cell]) => (cell.safeParse(undefined).success ? [] : [name]));

/** Returns the columns for a help text, one per line. */
export function columnLines(columns: z.ZodObject): string {
  const width = Math.max(...columnsOf(columns).map((name) => name.length));
  const required = requiredColumns(columns);
  return Object.entries<z.ZodType>(columns.shape)
    .map(([name, { description = "" }]) => `  ${name.padEnd(width)}  ${description}${required.includes(name) ? " (required)" : ""}`)
    .join("\n");
}
