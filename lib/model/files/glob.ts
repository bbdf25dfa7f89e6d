/**
 * Patterns over paths: `*`, `?` and `[a-z]` within a name, `**` for any number of folders, `{a,b}` for alternatives. Leading dots are not
 * special, because it is better to keep a job's file than to miss it.
 *
 * A pattern is matched name by name while the tree is walked, so that folders in which nothing can match are not read. The time is limited
 * by the length of the pattern times that of the name. A regular expression, into which libraries compile patterns, can take forever, and
 * meanwhile the worker could not renew the leases of its other jobs.
 */
export type Pattern = { readonly steps: readonly Step[] };

/** One name of a path, or any number of folders. */
type Step = "**" | ((name: PathName) => boolean);

/** A name as bytes (one character per byte), and as text, in which bytes that are not UTF-8 are replacement characters. */
export type PathName = { readonly bytes: string; readonly text: string };

export const pathName = (text: string): PathName => ({ text, bytes: String.fromCharCode(...new TextEncoder().encode(text)) });

/** How far a path has been matched: each number is the index of a step that the path's next name may match. */
export type Reached = readonly number[];

export const hasMagic = (path: string): boolean => /[*?[{]/.test(path);

/** Whether one name, such as a job's id, matches a pattern. */
export const matchesGlob = (pattern: string, name: string): boolean => nameMatcher(pattern)(pathName(name));

/** Returns the prefix of all names that match a pattern of `*` and `?`. */
export const globPrefix = (pattern: string): string => /^[^*?]*/.exec(pattern)?.[0] ?? "";

/** Whether a path, or a folder above it, matches the glob or is literally that path. */
export function isBelow(globOrPath: string, path: string): boolean {
  return [literally(globOrPath), ...patternsOf(globOrPath)].some((pattern) => {
    let reached = start(pattern);
    if (isWhole(pattern, reached)) return true;
    return path.split("/").some((name) => {
      reached = advance(pattern, reached, pathName(name));
      return isWhole(pattern, reached);
    });
  });
}

/** Returns a pattern that matches only this path, in which `*`, `?` and the like are not special. */
export const literally = (path: string): Pattern => ({
  steps: namesOf(path).map((part) => {
    const expected = pathName(part).bytes;
    return ({ bytes }: PathName) => bytes === expected;
  }),
});

/** Returns one pattern per choice of the glob's braces. If there are more choices than `most`, the braces stand for themselves. */
export const patternsOf = (glob: string, most = maxChoices): readonly Pattern[] =>
  withoutBraces(glob, most).map((each) => ({ steps: namesOf(each).map((part) => (part === "**" ? part : nameMatcher(part))) }));

export const start = (pattern: Pattern): Reached => closure(pattern, [0]);

export function advance(pattern: Pattern, reached: Reached, name: PathName): Reached {
  const next: number[] = [];
  for (const at of reached) {
    const step = pattern.steps[at];
    if (step === "**") next.push(at);
    else if (step?.(name)) next.push(at + 1);
  }
  return closure(pattern, next);
}

/** Whether the path that was matched this far matches the whole pattern. */
export const isWhole = (pattern: Pattern, reached: Reached): boolean => reached.includes(pattern.steps.length);

const namesOf = (path: string): readonly string[] => path.split("/").filter((part) => part !== "" && part !== ".");

/** Adds the steps after each `**`, because it may stand for no folder at all. */
function closure({ steps }: Pattern, reached: readonly number[]): Reached {
  const all = new Set(reached);
  // The loop also visits what is added to the set meanwhile.
  for (const at of all) if (steps[at] === "**") all.add(at + 1);
  return [...all];
}

type Token = "*" | ((character: string) => boolean);

function nameMatcher(glob: string): (name: PathName) => boolean {
  const tokens = tokensOf([...glob]);
  return ({ text }) => isMatch(tokens, [...text]);
}

function tokensOf(glob: readonly string[]): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at] ?? "";
    const end = character === "[" ? endOfClass(glob, at) : undefined;
    if (character === "*") tokens.push("*");
    else if (character === "?") tokens.push(() => true);
    else if (end === undefined) tokens.push((other) => other === character);
    else {
      tokens.push(classOf(glob.slice(at + 1, end)));
      at = end;
    }
  }
  return tokens;
}

const isNegation = (character: string | undefined): boolean => character === "!" || character === "^";

/** Returns the index of the `]`, or undefined if there is none and the `[` stands for itself. A `]` in first place belongs to the class. */
function endOfClass(glob: readonly string[], at: number): number | undefined {
  const first = at + (isNegation(glob[at + 1]) ? 2 : 1);
  const end = glob.indexOf("]", first + 1);
  return end === -1 ? undefined : end;
}

function classOf(inside: readonly string[]): (character: string) => boolean {
  const negated = isNegation(inside[0]);
  const members = negated ? inside.slice(1) : inside;
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < members.length; at++) {
    const from = members[at] ?? "";
    const to = members[at + 1] === "-" ? members[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  const code = (character: string): number => character.codePointAt(0) ?? 0;
  return (character) => ranges.some(([from, to]) => code(from) <= code(character) && code(character) <= code(to)) !== negated;
}

/** Only the last `*` is tried again, which is sufficient and limits the time to the length of the pattern times that of the name. */
function isMatch(tokens: readonly Token[], name: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let again: { readonly token: number; at: number } | undefined;
  while (at < name.length) {
    const current = tokens[token];
    if (current === "*") {
      again = { token: token + 1, at };
      token += 1;
    } else if (current?.(name[at] ?? "")) {
      token += 1;
      at += 1;
    } else if (again) {
      again.at += 1;
      token = again.token;
      at = again.at;
    } else return false;
  }
  return tokens.slice(token).every((left) => left === "*");
}

const maxChoices = 256;

/** Returns the choices of all `{a,b}`, as shells expand them. Braces without a comma, or with too many choices, stand for themselves. */
function withoutBraces(glob: string, most: number): readonly string[] {
  let all = [glob];
  for (;;) {
    let hasChanged = false;
    const next = all.flatMap((each) => {
      const choices = choicesOf(each);
      hasChanged ||= choices !== undefined;
      return choices ?? [each];
    });
    if (next.length > most) return [glob];
    if (!hasChanged) return [...new Set(next)];
    all = next;
  }
}

/** Returns the choices of the first braces that contain a comma, or undefined if there are none. */
function choicesOf(text: string): readonly string[] | undefined {
  for (let open = text.indexOf("{"); open !== -1; open = text.indexOf("{", open + 1)) {
    const marks = commasAndEnd(text, open);
    if (!marks || marks.length < 2) continue;
    const end = marks.at(-1) ?? text.length;
    const parts = marks.map((mark, index) => text.slice((marks[index - 1] ?? open) + 1, mark));
    return parts.map((part) => text.slice(0, open) + part + text.slice(end + 1));
  }
  return undefined;
}

/** Returns the indexes of these braces' commas and, last, of their end, or undefined if they have no end. */
function commasAndEnd(text: string, open: number): readonly number[] | undefined {
  const marks: number[] = [];
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "," && depth === 1) marks.push(at);
    else if (text[at] === "}") {
      depth -= 1;
      if (depth === 0) return [...marks, at];
    }
  }
  return undefined;
}
