import * as z from "zod";

/**
 * Cells of the tables that `fleet capacity` and `fleet plan` read. In CSV every cell is text; in JSON it has its own type. An empty cell
 * is the same as none.
 */
type Bounds = {
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
};

/** A number, by default 0 or more. */
export const amount = ({ least = 0, most = 1e12, whole = false }: Bounds = {}) =>
  z.union([z.number(), z.string()], { error: "a number is wanted" }).transform((given, context) => {
    const value = typeof given === "string" ? decimal(given) : given;
    const wrong = wrongOf(value, { least, most, whole });
    if (wrong === undefined) return value;
    context.addIssue({ code: "custom", message: `${wrong}, not ${JSON.stringify(given)}` });
    return z.NEVER;
  });

/** Reads decimal numbers only, because people do not mean a number by `0x10` and the like in a table. */
const decimal = (text: string): number => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN);

function wrongOf(value: number, { least, most, whole }: Required<Bounds>): string | undefined {
  if (!Number.isFinite(value)) return "a number is wanted";
  if (whole && !Number.isInteger(value)) return "a whole number is wanted";
  if (value < least) return `a number of at least ${least} is wanted`;
  return value > most ? `a number of at most ${most} is wanted` : undefined;
}

const yes = ["true", "yes", "1"];
const no = ["false", "no", "0"];

/** Yes or no. */
export const flag = () =>
  z.union([z.boolean(), z.string(), z.number()], { error: "yes or no is wanted" }).transform((given, context) => {
    const text = String(given).toLowerCase();
    if (yes.includes(text)) return true;
    if (!no.includes(text)) context.addIssue({ code: "custom", message: `yes or no is wanted, not ${JSON.stringify(given)}` });
    return false;
  });

/** A name, which may also be a number. */
export const name = () =>
  z
    .union([z.string(), z.number()], { error: "a name is wanted" })
    .transform(String)
    .pipe(
      z
        .string()
        .min(1, "a name is wanted")
        .max(200, "a name has 200 letters at most")
        .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "a name has no line break and no other control character in it"),
    );

/** Several values: a list in JSON, or a cell of CSV in which `|` separates them. */
export const list = () =>
  z
    .union([z.string(), z.number().transform(String), z.array(z.union([z.string(), z.number()]).transform(String))], {
      error: "a list is wanted: A|B",
    })
    .transform((given) => (typeof given === "string" ? given.split("|") : given).map((each) => each.trim()).filter((each) => each !== ""));
