/** The values of condition keys in one request. Keys are in lower case. A key that the request lacks is absent. */
export type ConditionContext = Readonly<Record<string, readonly string[] | undefined>>;

const compiled = new Map<string, RegExp>();

/** Matches a pattern of a policy, in which `*` stands for any text and `?` for one character. `flags`: "i" for actions, whose case does not matter. */
export function matches(pattern: string, value: string, flags: "" | "i" = ""): boolean {
  if (pattern === value) return true;
  if (!pattern.includes("*") && !pattern.includes("?") && flags === "") return false;
  const key = `${flags}:${pattern}`;
  const known = compiled.get(key) ?? new RegExp(`^${wild(pattern)}$`, `s${flags}`);
  compiled.set(key, known);
  return known.test(value);
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
const wild = (pattern: string): string => literal(pattern).replaceAll("\\*", ".*").replaceAll("\\?", ".");

const variable = /\$\{([^}]*)\}/g;
/** What stands for a character that has a meaning in patterns. */
const escapes: Readonly<Record<string, string>> = { "*": "*", "?": "?", $: "$" };

/**
 * Matches a pattern that may contain policy variables, such as `${aws:PrincipalTag/team}`. A variable stands for its value, in which `*` and
 * `?` have no meaning. If the request lacks the variable's key, nothing matches.
 */
export function matchesWithVariables(pattern: string, value: string, context: ConditionContext): boolean {
  if (!pattern.includes("${")) return matches(pattern, value);
  let expression = "";
  let from = 0;
  for (const found of pattern.matchAll(variable)) {
    const known = variableValue(found[1] ?? "", context);
    if (known === undefined) return false;
    expression += wild(pattern.slice(from, found.index)) + literal(known);
    from = found.index + found[0].length;
  }
  return new RegExp(`^${expression}${wild(pattern.slice(from))}$`, "s").test(value);
}

function variableValue(name: string, context: ConditionContext): string | undefined {
  if (Object.hasOwn(escapes, name)) return escapes[name];
  const values = context[name.toLowerCase()];
  return values?.length === 1 ? values[0] : undefined;
}

/** Returns a text with the values of its variables; undefined if the request lacks one. */
export function substituted(text: string, context: ConditionContext): string | undefined {
  let isWhole = true;
  const value = text.replace(variable, (_whole, name: string) => {
    const known = variableValue(name, context);
    isWhole &&= known !== undefined;
    return known ?? "";
  });
  return isWhole ? value : undefined;
}

/** Returns the condition keys that a text uses as variables, in lower case. */
export const variablesOf = (text: string): readonly string[] =>
  [...text.matchAll(variable)].map((found) => (found[1] ?? "").toLowerCase()).filter((name) => !Object.hasOwn(escapes, name));
