import { withoutText } from "./code-text.ts";

/** A file whose text is counted, by its path from the repository's root, with `/`. */
export type TextFile = { readonly path: string; readonly source: string };

/** Words of an older dialect. Plain English has better ones: "returns", "reports", "arrives", "no one", "again". */
export const dialect = {
  answer: /\banswers?\b/gi,
  tell: /\b(?:tells?|told)\b/gi,
  come: /\b(?:comes?|came)\b/gi,
  nobody: /\b(?:nobody|whoever)\b/gi,
  anew: /\b(?:anew|beside|shall)\b/gi,
} as const;

export type Word = keyof typeof dialect;
type Kind = "comments" | "strings" | "documents";

/**
 * How often each word may occur. A ceiling may only fall: if a count exceeds it, rewrite the sentence; if a count is below it, lower
 * the ceiling to the count.
 */
const ceilings: Readonly<Record<Kind, Readonly<Record<Word, number>>>> = {
  comments: { answer: 4, tell: 0, come: 8, nobody: 0, anew: 0 },
  strings: { answer: 2, tell: 0, come: 1, nobody: 0, anew: 0 },
  documents: { answer: 0, tell: 0, come: 0, nobody: 0, anew: 0 },
};

/** A passage of prose and the place in its file at which it begins. */
type Passage = { readonly kind: Kind; readonly from: number; readonly text: string };

/** An occurrence of a word. `at` is the path and the line, as an editor opens them. */
type Found = { readonly kind: Kind; readonly word: Word; readonly at: string };

/** Returns every occurrence of a word of the dialect in a file. */
export function wordsIn({ path, source }: TextFile): readonly Found[] {
  const passages: readonly Passage[] = path.endsWith(".md") ? [{ kind: "documents", from: 0, text: source }] : passagesOf(source);
  return passages.flatMap(({ kind, from, text }) => {
    const prose = withoutCode(text);
    return (Object.keys(dialect) as Word[]).flatMap((word) =>
      [...prose.matchAll(dialect[word])].map(({ index }) => ({ kind, word, at: `${path}:${lineOf(source, from + index)}` })),
    );
  });
}

/** Returns a sentence per count that exceeds its ceiling, with the places of the word. */
export function tooMany(found: readonly Found[], most: typeof ceilings = ceilings): readonly string[] {
  return [...Map.groupBy(found, ({ kind, word }) => `${kind} ${word}`).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { kind, word } = first;
    const ceiling = most[kind][word];
    if (group.length <= ceiling) return [];
    const allowed = `at most ${ceiling} ${ceiling === 1 ? "is" : "are"} allowed`;
    const places = group.map(({ at }) => `\n  ${at}`).join("");
    return [`the ${kind} have ${group.length} words like "${word}", and ${allowed}; rewrite one of these lines:${places}`];
  });
}

/** Returns the comments of a module, and the strings that consist of several words. */
function passagesOf(source: string): readonly Passage[] {
  const code = withoutText(source);
  // Text is what `withoutText` has replaced by spaces. White space is kept, because a passage may have several lines.
  const text = source.split("").map((char, at) => (char <= " " || code[at] !== char ? char : "\0"));
  return [...text.join("").matchAll(/[^\s\0][^\0]*/g)].flatMap(({ 0: piece, index: from }): readonly Passage[] => {
    if (/^\/[/*]/.test(piece)) return [{ kind: "comments", from, text: piece }];
    const isPattern = piece.startsWith("/");
    return isPattern || !/\p{L}\s+\p{L}/u.test(piece) ? [] : [{ kind: "strings", from, text: piece }];
  });
}

/** Blanks out what names code: fenced blocks, code in backticks and paths of files. */
const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```|`[^`\n]*`|\S+\.(?:ts|py|sh|md|json)\b/gm, (code) => code.replaceAll(/[^\n]/g, " "));

const lineOf = (source: string, at: number): number => source.slice(0, at).split("\n").length;
