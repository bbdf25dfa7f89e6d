import type * as z from "zod";
import { words } from "./words.ts";

/** One thing that is wrong with an input: where, and in words what is expected and what was given. */
export type Wrong = { readonly path: readonly PropertyKey[]; readonly message: string };

export type Checked<T> =
  | { readonly kind: "good"; readonly value: T }
  /** In the order in which it stands there. */
  | { readonly kind: "wrong"; readonly wrong: readonly Wrong[] };

/** Holds something that a person wrote against its schema. What is wrong is told in words, one for each field. */
export function checked<S extends z.ZodType>(schema: S, input: unknown): Checked<z.output<S>> {
  const parsed = schema.safeParse(input, { error: words });
  return parsed.success ? { kind: "good", value: parsed.data } : { kind: "wrong", wrong: wrongsOf(parsed.error.issues) };
}

/** A wrong as one line: `gpus.count: must be at most 64, but is 99`. */
export const lineOf = ({ path, message }: Wrong, whole = ""): string => {
  const where = path.length > 0 ? path.map(String).join(".") : whole;
  return where === "" ? message : `${where}: ${message}`;
};

/** All of them, each on a line of its own below what they are about. */
export const linesOf = (wrong: readonly Wrong[], whole?: string): string => wrong.map((each) => `\n  ${lineOf(each, whole)}`).join("");

const wrongsOf = (issues: readonly z.core.$ZodIssue[]): readonly Wrong[] => issues.flatMap(wrongOf);

/** Of a union whose one option is of the given type, that option's faults say more than that no option fits. */
function wrongOf(issue: z.core.$ZodIssue): readonly Wrong[] {
  const { path, message } = issue;
  const meant = issue.code === "invalid_union" ? issue.errors.filter(isOfItsType) : [];
  const [only] = meant;
  if (meant.length !== 1 || only === undefined) return [{ path, message }];
  return wrongsOf(only).map((wrong) => ({ ...wrong, path: [...path, ...wrong.path] }));
}

const isOfItsType = (issues: readonly z.core.$ZodIssue[]): boolean =>
  issues.length > 0 && !issues.some(({ code, path }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value"));
