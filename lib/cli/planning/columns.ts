import type * as z from "zod";

/** The names of a table's columns, in the order in which they are told. */
export const columnsOf = ({ shape }: z.ZodObject): readonly string[] => Object.keys(shape);

/** Those without which no row makes sense. */
export const requiredColumns = ({ shape }: z.ZodObject): readonly string[] =>
  Object.entries<z.ZodType>(shape).flatMap(([name, cell]) => (cell.safeParse(undefined).success ? [] : [name]));

/** The columns for a help text, one a line. */
export function columnLines(columns: z.ZodObject): string {
  const width = Math.max(...columnsOf(columns).map((name) => name.length));
  const required = requiredColumns(columns);
  return Object.entries<z.ZodType>(columns.shape)
    .map(([name, { description = "" }]) => `  ${name.padEnd(width)}  ${description}${required.includes(name) ? " (required)" : ""}`)
    .join("\n");
}
