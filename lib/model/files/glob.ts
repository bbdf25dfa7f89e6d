/**
 * Patterns over paths: `*`, `?` and `[a-z]` within a name, `**` for any number of folders, `{a,b}` for either. Leading dots are
 * nothing special: what a job left is kept rather than missed.
 *
 * A pattern is followed name by name while the tree is walked, so that folders in which nothing can match are not read. The
 * time it takes is bounded by pattern times name: a regular expression, which is what libraries make of a pattern, can take for ever, and
 * the worker that waits for it holds its other jobs' leases.
 */
export type Pattern = { readonly steps: readonly Step[] };

/** One name of a path, or any number of folders. */
type Step = "**" | ((name: PathName) => boolean);

/** A name as bytes (one character each), and as far as it is text: bytes that are not UTF-8 are unknown characters. */
export type PathName = { readonly bytes: string; readonly text: string };

export const pathName = (text: string): PathName => ({ text, bytes: String.fromCharCode(...new TextEncoder().encode(text)) });

/** How far a path has come in a pattern: each number is a step that its next name may meet. */
export type Reached = readonly number[];

export const hasMagic = (path: string): boolean => /[*?[{]/.test(path);

/** Whether one name, such as a job's id, fits a pattern. */
export const matchesGlob = (pattern: string, name: string): boolean => nameMatcher(pattern)(pathName(name));

/** What every name begins with that fits a pattern of `*` and `?`. */
export const globPrefix = (pattern: string): string => /^[^*?]*/.exec(pattern)?.[0] ?? "";

/** Whether a path, or a folder that it lies in, is one that the glob takes, or the very one. */
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

/** The path of that very name. */
export const literally = (path: string): Pattern => ({
  steps: namesOf(path).map((part) => {
    const expected = pathName(part).bytes;
    return ({ bytes }: PathName) => bytes === expected;
  }),
});

/** A glob can be several patterns: each choice of its braces is one. With more choices than `most`, its braces stand for themselves. */
export const patternsOf = (glob: string, most = mostChoices): readonly Pattern[] =>
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

/** Whether the path that was followed this far matches as it is. */
export const isWhole = (pattern: Pattern, reached: Reached): boolean => reached.includes(pattern.steps.length);

const namesOf = (path: string): readonly string[] => path.split("/").filter((part) => part !== "" && part !== ".");

/** `**` may stand for no folder at all. */
function closure({ steps }: Pattern, reached: readonly number[]): Reached {
  const all = new Set(reached);
  // A set is walked through what is added to it meanwhile, too.
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

/** Where the `]` is; a first one belongs to the class. Undefined: the `[` stands for itself. */
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

/** Only the last `*` is ever tried again, which is enough: the time is at most pattern times name. */
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

const mostChoices = 256;

/** Each choice of `{a,b}`, as shells expand them. Braces without a comma, or too many of them, stand for themselves. */
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

/** The text with its first braces that hold a choice resolved. */
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

/** Where the commas of these braces are, and last their end. */
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
