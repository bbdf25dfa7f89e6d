import * as z from "zod";

const many = <T extends z.ZodType>(one: T) => z.union([one.transform((value) => [value]), z.array(one)]);
const texts = many(z.union([z.string(), z.boolean().transform(String), z.number().transform(String)]));

export const Statement = z.looseObject({
  Effect: z.enum(["Allow", "Deny"]),
  Action: many(z.string()),
  Resource: many(z.string()),
  Condition: z.record(z.string(), z.record(z.string(), texts)).default({}),
});
export type Statement = z.infer<typeof Statement>;

export type Question = {
  readonly action: string;
  readonly resource: string;
  /** Condition keys are in lower case. */
  readonly context?: Readonly<Record<string, string>>;
};

/**
 * Reports whether an identity's statements allow an action. A denial takes precedence. A condition whose operator is not supported
 * counts as met in a denial and as not met in an allowance.
 */
export function isAllowed(statements: readonly Statement[], question: Question): boolean {
  const about = statements.filter(
    (statement) =>
      statement.Action.some((pattern) => matches(pattern, question.action, "i")) &&
      statement.Resource.some((pattern) => matches(pattern, question.resource, "")),
  );
  const holds = (statement: Statement): boolean => conditionsHold(statement, question.context ?? {});
  return about.some((each) => each.Effect === "Allow" && holds(each)) && !about.some((each) => each.Effect === "Deny" && holds(each));
}

type Compare = (wanted: readonly string[], actual: string) => boolean;
const operators: Readonly<Record<string, Compare>> = {
  StringEquals: (wanted, actual) => wanted.includes(actual),
  StringLike: (wanted, actual) => wanted.some((pattern) => matches(pattern, actual, "")),
  ArnEquals: (wanted, actual) => wanted.some((pattern) => matches(pattern, actual, "")),
  ArnLike: (wanted, actual) => wanted.some((pattern) => matches(pattern, actual, "")),
  Bool: (wanted, actual) => wanted.includes(actual),
};

function conditionsHold(statement: Statement, context: Readonly<Record<string, string>>): boolean {
  const whenUnknown = statement.Effect === "Deny";
  return Object.entries(statement.Condition).every(([operator, tests]) =>
    Object.entries(tests).every(([key, wanted]) => {
      const compare = operators[operator];
      const actual = context[key.toLowerCase()];
      return compare ? actual !== undefined && compare(wanted, actual) : whenUnknown;
    }),
  );
}

/** Matches a pattern in which `*` matches any text and `?` a single character. */
function matches(pattern: string, value: string, flags: "i" | ""): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, flags).test(value);
}
