import { type Glob, globOf } from "./wildmatch.ts";

/** One line of a .gitignore or .fleetignore file. */
export type Rule = {
  /** Whether the line begins with `!`, which includes what other rules exclude. */
  readonly keeps: boolean;
  readonly foldersOnly: boolean;
  /** Whether the rule contains no slash, so that it applies to names at any depth. */
  readonly byName: boolean;
  /** The text before the first wildcard; `wild` says whether there is one. */
  readonly literal: string;
  readonly wild: boolean;
  readonly matches: Glob;
};

/** The rules of one file, and the rules that it overrides. */
export type Rules = {
  readonly rules: readonly Rule[];
  /** The path of the file's folder below the packed folder, with a slash at the end; "" at the top. */
  readonly base: string;
  /** If the file is above the packed folder: the path from its folder to the packed one, with a slash at the end. */
  readonly above: string;
  readonly outer: Rules | undefined;
};

const byteOrderMark = "\xef\xbb\xbf";

/** Parses an ignore file as git does. Its bytes are given as characters. */
export function rulesOf(text: string): readonly Rule[] {
  const body = text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
  return body.split("\n").flatMap((line) => ruleOf(line.endsWith("\r") ? line.slice(0, -1) : line));
}

function ruleOf(line: string): Rule[] {
  if (line.startsWith("#")) return [];
  const [upToNul = ""] = line.split("\0", 1);
  let glob = withoutTrailingSpaces(upToNul);
  const keeps = glob.startsWith("!");
  if (keeps) glob = glob.slice(1);
  const foldersOnly = glob.endsWith("/");
  if (foldersOnly) glob = glob.slice(0, -1);
  if (glob === "") return [];
  const byName = !glob.includes("/");
  if (glob.startsWith("/")) glob = glob.slice(1);
  const [literal = ""] = /^[^*?[\\]*/.exec(glob) ?? [];
  return [{ keeps, foldersOnly, byName, literal, wild: literal !== glob, matches: matcherOf(glob, literal) }];
}

/** Returns the matcher of a rule. Most are a name, or `*` and an ending. As in git, the glob begins at the first wildcard. */
function matcherOf(glob: string, literal: string): Glob {
  if (literal === glob) return (name) => name === glob;
  const ending = glob.slice(1);
  if (glob.startsWith("*") && !/[*?[\\/]/.test(ending))
    return (name) => name.endsWith(ending) && !name.slice(0, name.length - ending.length).includes("/");
  const rest = globOf(glob.slice(literal.length));
  return (name) => name.startsWith(literal) && rest(name.slice(literal.length));
}

/** Removes blanks at the end, unless a backslash precedes them. */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") at += 1;
    else if (line[at] === " ") continue;
    end = at + 1;
  }
  return line.slice(0, end);
}

/** Returns the last rule that matches, from the file that is nearest to the path. */
export function ruleOn(rules: Rules | undefined, path: string, isFolder: boolean): Rule | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  for (let file = rules; file !== undefined; file = file.outer) {
    const from = file.above + path.slice(file.base.length);
    const last = file.rules.findLast((rule) => (isFolder || !rule.foldersOnly) && rule.matches(rule.byName ? name : from));
    if (last) return last;
  }
  return undefined;
}

/** Returns whether a rule with `!` names a path below this folder. */
export function reachesInto(rules: Rules | undefined, folder: string): boolean {
  for (let file = rules; file !== undefined; file = file.outer) {
    const from = `${file.above}${folder.slice(file.base.length)}/`;
    const reaches = ({ keeps, byName, literal, wild }: Rule): boolean =>
      keeps && !byName && (literal.startsWith(from) || (wild && from.startsWith(literal)));
    if (file.rules.some(reaches)) return true;
  }
  return false;
}
