/**
 * Conditions of policies, as the IAM User Guide documents them ("IAM JSON policy elements: Condition operators" and "Multivalued context
 * keys"). Only what a stack of Fleetwright uses is supported, and anything else stops the start.
 */
import { type ConditionContext, matchesWithVariables, substituted } from "./patterns.ts";
import type { Statement } from "./statement.ts";

/** Compares one value of the request with one of the policy. */
type Compare = (wanted: string, actual: string, context: ConditionContext) => boolean;
type Operator = { readonly compare: Compare; readonly isNegated: boolean };

const exactly: Compare = (wanted, actual, context) => substituted(wanted, context) === actual;
const ignoringCase: Compare = (wanted, actual, context) => substituted(wanted, context)?.toLowerCase() === actual.toLowerCase();
const like: Compare = (wanted, actual, context) => matchesWithVariables(wanted, actual, context);
/** Each of an ARN's six parts is compared by itself, so that a wildcard does not extend over a colon. */
const arnLike: Compare = (wanted, actual, context) => {
  const [patterns, parts] = [arnParts(wanted), arnParts(actual)];
  return (
    parts.length === 6 && patterns.length === 6 && patterns.every((pattern, i) => matchesWithVariables(pattern, parts[i] ?? "", context))
  );
};
const numeric =
  (compare: (actual: number, wanted: number) => boolean): Compare =>
  (wanted, actual) =>
    compare(Number(actual), Number(wanted));

function arnParts(text: string): readonly string[] {
  // A variable may contain a colon, for example ${aws:PrincipalTag/team}.
  const parts = text.split(/:(?![^${}]*\})/);
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

const positive: Readonly<Record<string, Compare>> = {
  StringEquals: exactly,
  StringEqualsIgnoreCase: ignoringCase,
  StringLike: like,
  ArnEquals: arnLike,
  ArnLike: arnLike,
  Bool: ignoringCase,
  NumericEquals: numeric((actual, wanted) => actual === wanted),
  NumericLessThan: numeric((actual, wanted) => actual < wanted),
  NumericLessThanEquals: numeric((actual, wanted) => actual <= wanted),
  NumericGreaterThan: numeric((actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: numeric((actual, wanted) => actual >= wanted),
};
const negated: Readonly<Record<string, Compare>> = {
  StringNotEquals: exactly,
  StringNotEqualsIgnoreCase: ignoringCase,
  StringNotLike: like,
  ArnNotEquals: arnLike,
  ArnNotLike: arnLike,
};

function operatorOf(name: string): Operator | undefined {
  if (Object.hasOwn(positive, name) && positive[name]) return { compare: positive[name], isNegated: false };
  return Object.hasOwn(negated, name) && negated[name] ? { compare: negated[name], isNegated: true } : undefined;
}

type Parsed = {
  /** Undefined for `Null`, which asks only whether the request has the key. */
  readonly operator: Operator | undefined;
  readonly set: "ForAllValues" | "ForAnyValue" | undefined;
  readonly ifExists: boolean;
};

/** Returns what an operator's name means; undefined if it is not supported. */
export function parseOperator(name: string): Parsed | undefined {
  if (name === "Null") return { operator: undefined, set: undefined, ifExists: false };
  const [, set, base = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? [];
  const operator = operatorOf(base);
  if (!operator || (set !== undefined && set !== "ForAllValues" && set !== "ForAnyValue")) return undefined;
  return { operator, set, ifExists: ifExists !== undefined };
}

/** Reports whether all conditions of a statement hold. Throws if it has an operator that is not supported. */
export const conditionsHold = ({ Condition }: Statement, context: ConditionContext): boolean =>
  Object.entries(Condition).every(([name, tests]) => {
    const parsed = parseOperator(name);
    if (!parsed) throw new Error(`The condition operator ${name} is not supported`);
    return Object.entries(tests).every(([key, wanted]) => holds(parsed, wanted, { actual: valuesOf(context, key), context }));
  });

/** A key without values counts as missing. */
function valuesOf(context: ConditionContext, key: string): readonly string[] | undefined {
  const values = context[key.toLowerCase()];
  return values !== undefined && values.length > 0 ? values : undefined;
}

function holds(
  { operator, set, ifExists }: Parsed,
  wanted: readonly string[],
  on: { actual: readonly string[] | undefined; context: ConditionContext },
): boolean {
  const { actual, context } = on;
  if (!operator) return wanted.some((value) => value === String(actual === undefined));
  if (actual === undefined && ifExists) return true;
  const meets = (value: string): boolean => wanted.some((each) => operator.compare(each, value, context)) !== operator.isNegated;
  if (set === "ForAllValues") return (actual ?? []).every(meets);
  if (set === "ForAnyValue") return (actual ?? []).some(meets);
  // Without the key, a condition that denies a value holds, and one that wants a value does not.
  return actual === undefined ? operator.isNegated : actual.every(meets);
}
