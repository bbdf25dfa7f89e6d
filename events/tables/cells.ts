import * as z from "zod";

/**
 * Cells of the tables that `fleet capacity` and `fleet plan` read. In CSV every cell is text; in JSON it has its own type. An empty cell
 * means the same as a missing one.
 */
type Bounds = {
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
};

/** A number; at least 0 unless `least` says otherwise. */
export const amount = ({ least = 0, most = 1e12, whole = false }: Bounds = {}) =>
  z.union([z.number(), z.string()], { error: "must be a number" }).transform((given, context) => {
    const value = typeof given === "string" ? decimal(given) : given;
    const wrong = wrongOf(value, { least, most, whole });
    if (wrong === undefined) return value;
    context.addIssue({ code: "custom", message: `${wrong}, not ${JSON.stringify(given)}` });
    return z.NEVER;
  });

/** Reads decimal numbers only, because in a table, texts such as `0x10` are not meant as numbers. */
const decimal = (text: string): number => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN);

function wrongOf(value: number, { least, most, whole }: Required<Bounds>): string | undefined {
  if (!Number.isFinite(value)) return "must be a number";
  if (whole && !Number.isInteger(value)) return "must be a whole number";
  if (value < least) return `must be at least ${least}`;
  return value > most ? `must be at most ${most}` : undefined;
}

const yes = ["true", "yes", "1"];
const no = ["false", "no", "0"];

/** A cell that says yes or no. */
export const flag = () =>
  z.union([z.boolean(), z.string(), z.number()], { error: "must be yes or no" }).transform((given, context) => {
    const text = String(given).toLowerCase();
    if (yes.includes(text)) return true;
    if (!no.includes(text)) context.addIssue({ code: "custom", message: `must be yes or no, not ${JSON.stringify(given)}` });
    return false;
  });

/** A name, which may also be a number. */
export const name = () =>
  z
    .union([z.string(), z.number()], { error: "must be a name" })
    .transform(String)
    .pipe(
      z
        .string()
        .min(1, "must be a name")
        .max(200, "must have at most 200 characters")
        .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "must not contain line breaks or other control characters"),
    );

/** Several values: a list in JSON, or a cell of CSV in which `|` separates them. */
export const list = () =>
  z
    .union([z.string(), z.number().transform(String), z.array(z.union([z.string(), z.number()]).transform(String))], {
      error: "must be a list, such as A|B",
    })
    .transform((given) => (typeof given === "string" ? given.split("|") : given).map((each) => each.trim()).filter((each) => each !== ""));
