import type * as z from "zod";
import { words } from "./words.ts";

/** One thing that is wrong with an input: where it is, and a message that says what is expected and what was given. */
export type Wrong = { readonly path: readonly PropertyKey[]; readonly message: string };

export type Checked<T> =
  | { readonly kind: "good"; readonly value: T }
  /** In the order of the input. */
  | { readonly kind: "wrong"; readonly wrong: readonly Wrong[] };

/** Parses an input that a person wrote. Returns the value or, if the input does not match the schema, one message per wrong field. */
export function checked<S extends z.ZodType>(schema: S, input: unknown): Checked<z.output<S>> {
  const parsed = schema.safeParse(input, { error: words });
  return parsed.success ? { kind: "good", value: parsed.data } : { kind: "wrong", wrong: wrongsOf(parsed.error.issues) };
}

/** Returns a wrong as one line, such as `gpus.count: must be at most 64, but is 99`. `whole` stands for the path of the whole input. */
export const lineOf = ({ path, message }: Wrong, whole = ""): string => {
  const where = path.length > 0 ? path.map(String).join(".") : whole;
  return where === "" ? message : `${where}: ${message}`;
};

/** Returns all of them, each on a new indented line, to follow the name of what they are about. */
export const linesOf = (wrong: readonly Wrong[], whole?: string): string => wrong.map((each) => `\n  ${lineOf(each, whole)}`).join("");

const wrongsOf = (issues: readonly z.core.$ZodIssue[]): readonly Wrong[] => issues.flatMap(wrongOf);

/** If exactly one option of a union has the type of the given value, that option's errors are returned, because they say more. */
function wrongOf(issue: z.core.$ZodIssue): readonly Wrong[] {
  const { path, message } = issue;
  const meant = issue.code === "invalid_union" ? issue.errors.filter(isOfItsType) : [];
  const [only] = meant;
  if (meant.length !== 1 || only === undefined) return [{ path, message }];
  return wrongsOf(only).map((wrong) => ({ ...wrong, path: [...path, ...wrong.path] }));
}

const isOfItsType = (issues: readonly z.core.$ZodIssue[]): boolean =>
  issues.length > 0 && !issues.some(({ code, path }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value"));
