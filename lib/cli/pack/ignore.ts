/** Left out of every archive: what a job cannot use, or must bring for its own machine. */
export const alwaysIgnored = [".git", "node_modules", "__pycache__", ".venv"] as const;

/** Whether a file or folder (a path with `/`, below the folder that is packed) is left out. */
export type Ignores = (path: string, isFolder: boolean) => boolean;

type Rule = { readonly matches: RegExp; readonly foldersOnly: boolean; readonly keeps: boolean };

/**
 * Reads rules in the syntax of .gitignore: the last one that matches decides, `!` brings back, `/` at the end means folders,
 * `/` elsewhere ties a rule to the top. What lies in a folder that is left out cannot be brought back.
 */
export function ignoring(text: string): Ignores {
  const rules = text.split(/\r?\n/).flatMap(ruleOf);
  const always: ReadonlySet<string> = new Set(alwaysIgnored);
  return (path, isFolder) => {
    if (always.has(path.slice(path.lastIndexOf("/") + 1))) return true;
    const last = rules.findLast((rule) => (isFolder || !rule.foldersOnly) && rule.matches.test(path));
    return last !== undefined && !last.keeps;
  };
}

function ruleOf(line: string): Rule[] {
  if (line.startsWith("#")) return [];
  // Blanks at the end count only behind a backslash.
  let glob = line.replace(/(?<!\\) +$/, "");
  const keeps = glob.startsWith("!");
  if (keeps) glob = glob.slice(1);
  const foldersOnly = glob.endsWith("/");
  if (foldersOnly) glob = glob.slice(0, -1);
  if (glob === "") return [];
  const anchored = glob.includes("/");
  const pattern = sourceOf(glob.replace(/^\//, ""));
  return [{ matches: new RegExp(anchored ? `^${pattern}$` : `(?:^|/)${pattern}$`, "s"), foldersOnly, keeps }];
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`);

/** The pieces of a glob, the longest first; each stands for a regular expression. */
const pieces: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [/^\*\*\//, () => "(?:.*/)?"],
  [/^\/\*\*\//, () => "/(?:.*/)?"],
  [/^\/\*\*$/, () => "/.+"],
  [/^\*+/, () => "[^/]*"],
  [/^\?/, () => "[^/]"],
  [/^\[([!^]?)(\]?[^\]]*)\]/, ([, not = "", set = ""]) => `(?!/)[${not && "^"}${set.replaceAll(/[\\\][^]/g, String.raw`\$&`)}]`],
  [/^\\(.)/s, ([, char = ""]) => literal(char)],
  [/^./s, ([char = ""]) => literal(char)],
];

function sourceOf(glob: string): string {
  let source = "";
  for (let rest = glob; rest !== ""; ) {
    const [found, write] = firstPiece(rest);
    source += write(found);
    rest = rest.slice(found[0].length);
  }
  return source;
}

function firstPiece(rest: string): readonly [RegExpExecArray, (found: RegExpExecArray) => string] {
  for (const [pattern, write] of pieces) {
    const found = pattern.exec(rest);
    if (found) return [found, write];
  }
  throw new Error(`no piece of a glob matches ${rest}`);
}
