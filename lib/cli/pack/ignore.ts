import { type Glob, globOf } from "./wildmatch.ts";

/** One line of a .gitignore or .fleetignore file. */
export type Rule = {
  /** Whether it begins with `!`: it brings back. */
  readonly keeps: boolean;
  readonly foldersOnly: boolean;
  /** Whether it holds no slash, and so is about names at any depth. */
  readonly byName: boolean;
  /** All before the first wildcard, and whether there is one. */
  readonly literal: string;
  readonly wild: boolean;
  readonly matches: Glob;
};

/** The rules of one file, and of all that yield to them. */
export type Rules = {
  readonly rules: readonly Rule[];
  /** The file's folder below the one that is packed, with a slash at its end; "" at the top. */
  readonly base: string;
  /** For a file of a folder further up: the way from there to the folder that is packed, with a slash at its end. */
  readonly above: string;
  readonly outer: Rules | undefined;
};

const byteOrderMark = "\xef\xbb\xbf";

/** Reads an ignore file, whose bytes are given as characters, as git does. */
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

/** Most rules are a name, or `*` and an ending. What lies before the first wildcard is compared, and is no part of the glob, as in git. */
function matcherOf(glob: string, literal: string): Glob {
  if (literal === glob) return (name) => name === glob;
  const ending = glob.slice(1);
  if (glob.startsWith("*") && !/[*?[\\/]/.test(ending))
    return (name) => name.endsWith(ending) && !name.slice(0, name.length - ending.length).includes("/");
  const rest = globOf(glob.slice(literal.length));
  return (name) => name.startsWith(literal) && rest(name.slice(literal.length));
}

/** Blanks at the end count only behind a backslash. */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") at += 1;
    else if (line[at] === " ") continue;
    end = at + 1;
  }
  return line.slice(0, end);
}

/** The last rule that matches; the files nearest to the path are asked first. */
export function ruleOn(rules: Rules | undefined, path: string, isFolder: boolean): Rule | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  for (let file = rules; file !== undefined; file = file.outer) {
    const from = file.above + path.slice(file.base.length);
    const last = file.rules.findLast((rule) => (isFolder || !rule.foldersOnly) && rule.matches(rule.byName ? name : from));
    if (last) return last;
  }
  return undefined;
}

/** Whether a rule that brings back names something below this folder by its path. */
export function reachesInto(rules: Rules | undefined, folder: string): boolean {
  for (let file = rules; file !== undefined; file = file.outer) {
    const from = `${file.above}${folder.slice(file.base.length)}/`;
    const reaches = ({ keeps, byName, literal, wild }: Rule): boolean =>
      keeps && !byName && (literal.startsWith(from) || (wild && from.startsWith(literal)));
    if (file.rules.some(reaches)) return true;
  }
  return false;
}
