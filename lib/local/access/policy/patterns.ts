/** The values of condition keys in one request. Keys are in lower case. A key that the request lacks is absent, or has no values. */
export type ConditionContext = Readonly<Record<string, readonly string[] | undefined>>;

/** A pattern: texts that stand for themselves, `?` for one character and `*` for any text. */
type Part = { readonly kind: "text"; readonly text: string } | { readonly kind: "one" } | { readonly kind: "any" };

/** Matches a pattern of a policy. `flags`: "i" for actions, whose case does not matter. */
export const matches = (pattern: string, value: string, flags: "" | "i" = ""): boolean =>
  flags === "i" ? isMatch(partsOf(pattern.toLowerCase()), value.toLowerCase()) : isMatch(partsOf(pattern), value);

const variable = /\$\{([^}]*)\}/g;
/** What stands for a character that has a meaning in patterns. */
const escapes: Readonly<Record<string, string>> = { "*": "*", "?": "?", $: "$" };

/**
 * Matches a pattern that may contain policy variables, such as `${aws:PrincipalTag/team}`. A variable stands for its value, in which `*` and
 * `?` have no meaning. If the request lacks the variable's key, nothing matches.
 */
export function matchesWithVariables(pattern: string, value: string, context: ConditionContext): boolean {
  if (!pattern.includes("${")) return matches(pattern, value);
  const parts: Part[] = [];
  let from = 0;
  for (const found of pattern.matchAll(variable)) {
    const text = variableValue(found[1] ?? "", context);
    if (text === undefined) return false;
    parts.push(...partsOf(pattern.slice(from, found.index)), { kind: "text", text });
    from = found.index + found[0].length;
  }
  return isMatch([...parts, ...partsOf(pattern.slice(from))], value);
}

const partsOf = (pattern: string): readonly Part[] =>
  pattern.split(/([*?])/).flatMap((text): readonly Part[] => {
    if (text === "*") return [{ kind: "any" }];
    if (text === "?") return [{ kind: "one" }];
    return text === "" ? [] : [{ kind: "text", text }];
  });

/** Parts between two `*`, which have one length. */
type Segment = readonly Exclude<Part, { kind: "any" }>[];

/**
 * Finds each segment at its first place after the one before it, because a later place leaves less to the next. So the time is at most the product
 * of the lengths, whatever a pattern of a session's policy says.
 */
function isMatch(parts: readonly Part[], value: string): boolean {
  const segments = segmentsOf(parts);
  const [first = [], last = []] = [segments[0], segments.at(-1)];
  if (segments.length === 1) return lengthOf(first) === value.length && isAt(first, value, 0);
  const endAt = value.length - lengthOf(last);
  let at = lengthOf(first);
  if (endAt < at || !isAt(first, value, 0) || !isAt(last, value, endAt)) return false;
  for (const segment of segments.slice(1, -1)) {
    while (at + lengthOf(segment) <= endAt && !isAt(segment, value, at)) at += 1;
    at += lengthOf(segment);
    if (at > endAt) return false;
  }
  return true;
}

function segmentsOf(parts: readonly Part[]): readonly Segment[] {
  const segments: Exclude<Part, { kind: "any" }>[][] = [[]];
  for (const part of parts) {
    if (part.kind === "any") segments.push([]);
    else segments.at(-1)?.push(part);
  }
  return segments;
}

const lengthOf = (segment: Segment): number => segment.reduce((sum, part) => sum + (part.kind === "text" ? part.text.length : 1), 0);

function isAt(segment: Segment, value: string, from: number): boolean {
  let at = from;
  for (const part of segment) {
    if (part.kind === "text" ? !value.startsWith(part.text, at) : at >= value.length) return false;
    at += part.kind === "text" ? part.text.length : 1;
  }
  return true;
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
