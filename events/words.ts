import type * as z from "zod";

type Raw = z.core.$ZodRawIssue;

/**
 * Says what is wrong with a value, in words for the person who wrote it: what is expected, and what was given. A message that the schema
 * itself defines takes precedence.
 */
export const words: z.core.$ZodErrorMap = (issue) => wordsOf(issue);

function wordsOf(issue: Raw): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? `is missing; ${named(issue.expected)} is expected` : mismatch(named(issue.expected), issue);
    case "invalid_value":
      return mismatch(oneOf(issue.values.map((value) => JSON.stringify(value))), issue);
    case "too_small":
      return bounded(issue, { limit: issue.minimum, inclusive: "at least", exclusive: "more than" });
    case "too_big":
      return bounded(issue, { limit: issue.maximum, inclusive: "at most", exclusive: "less than" });
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return `is not ${formats[issue.format] ?? "in the right form"}`;
    case "unrecognized_keys":
      return unknownFields(issue.keys, fieldsOf(issue.inst));
    case "invalid_union":
      return mismatch(optionsOf(issue.inst), issue);
    case "invalid_key":
    case "invalid_element":
      return issue.issues[0]?.message ?? "is not allowed";
    case "custom":
      return "is not allowed";
  }
}

const types: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
};
const named = (type: string): string => types[type] ?? type;

const formats: Readonly<Record<string, string>> = { url: "a URL", datetime: "a date and time in ISO 8601", json_string: "JSON" };

const mismatch = (wanted: string, issue: Raw): string => `expected ${wanted}, but got ${given(issue)}`;

/** The fields of a job whose values may be secrets. */
const secretFields: ReadonlySet<unknown> = new Set(["env", "command"]);

/**
 * Describes the given value. Long texts are not repeated, nor are values of environment variables and of commands, because they may be
 * secrets and messages are stored.
 */
function given({ input, path = [] }: Raw): string {
  const isSecret = secretFields.has(path[0]);
  if (typeof input === "number" && !Number.isNaN(input)) return isSecret ? "a number" : `the number ${input}`;
  if (typeof input === "string") return isSecret || input.length > 40 ? ofLength(input) : `the text ${JSON.stringify(input)}`;
  return others(input);
}

const ofLength = ({ length }: string): string => `a text of ${length} character${length === 1 ? "" : "s"}`;

function others(input: unknown): string {
  if (input === null || typeof input === "boolean") return String(input);
  if (typeof input === "number") return "no number";
  if (Array.isArray(input)) return "a list";
  return input === undefined ? "nothing" : "an object";
}

type Bounded = Extract<Raw, { code: "too_small" | "too_big" }>;
type Bound = { readonly limit: number | bigint; readonly inclusive: string; readonly exclusive: string };

function bounded(issue: Bounded, { limit, ...how }: Bound): string {
  const { input, exact, inclusive } = issue;
  const most = exact ? "exactly" : inclusive === false ? how.exclusive : how.inclusive;
  if (issue.code === "too_small" && Number(limit) === 1 && (input === "" || Array.isArray(input))) return "must not be empty";
  if (typeof input === "string") return `must have ${most} ${limit} characters, but has ${input.length}`;
  if (Array.isArray(input)) return `must have ${most} ${limit} entries, but has ${input.length}`;
  return `must be ${most} ${limit}, but is ${String(input)}`;
}

function unknownFields(keys: readonly string[], known: readonly string[]): string {
  const shown = keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 60)));
  const more = keys.length > 5 ? ` (and ${keys.length - 5} more)` : "";
  const meant = keys.length === 1 ? known.find((name) => isNear(name, keys[0] ?? "")) : undefined;
  const hint = meant === undefined ? `; there ${known.length === 1 ? "is" : "are"}: ${known.join(", ")}` : `; did you mean "${meant}"?`;
  return `there is no field ${shown.join(", ")}${more}${known.length === 0 ? "" : hint}`;
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** Whether two names are equal except for case and signs, or one of them is the beginning of the other. */
function isNear(known: string, other: string): boolean {
  const [one, two] = [plain(known), plain(other)];
  return one === two || (two.length >= 3 && (one.startsWith(two) || two.startsWith(one)));
}

/** The fields of zod's schema definitions that are used here. */
type Definition = {
  readonly type?: string;
  readonly options?: readonly z.core.$ZodType[];
  readonly in?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly format?: string;
  readonly check?: string;
};
const definitionOf = (schema: Raw["inst"]): Definition => (schema?._zod.def as Definition | undefined) ?? {};

const fieldsOf = (schema: Raw["inst"]): readonly string[] => Object.keys(definitionOf(schema).shape ?? {});

/** Returns what a union accepts, such as `a whole number or an object {count, models}`. */
const optionsOf = (schema: Raw["inst"]): string => {
  const options = definitionOf(schema).options ?? [];
  return options.length === 0 ? "something else" : oneOf([...new Set(options.map(optionOf))]);
};

function optionOf(schema: z.core.$ZodType): string {
  const { type = "", in: input, innerType, format, options } = definitionOf(schema);
  if (options) return optionsOf(schema);
  if (type === "pipe" && input) return optionOf(input);
  if (innerType) return optionOf(innerType);
  if (type === "number" && format === "safeint") return named("int");
  return type === "object" ? `an object {${fieldsOf(schema).join(", ")}}` : named(type);
}

const oneOf = (all: readonly string[]): string => (all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`);
