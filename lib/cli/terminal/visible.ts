/**
 * Text from elsewhere (a job's output, a key of S3, an id) may contain characters that control a terminal or that change how the text
 * around them reads: control characters (C0, DEL, C1), invisible and bidirectional format characters, line separators and lone
 * surrogates. Tabs and the joiners that emoji and some scripts need are not in this set.
 */
const unsafe = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\t\u200c\u200d]]/gv;

/** Escapes a character in the notation of JSON, so that JSON text keeps its meaning. */
const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`).join("");

/** Escapes every unsafe character of a line, for example as `\u001b`. A line break is unsafe too. */
export const visible = (text: string): string => text.replaceAll(unsafe, escaped);

/** Escapes a text of several lines. Indents each line after the first, so that no text can pass for a line of our own. */
export const visibleLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line, index) => `${index === 0 || /^\s/.test(line) ? "" : "  "}${visible(line)}`)
    .join("\n");

const esc = "\u001b";
/** `ESC [ … letter`: colours and cursor moves. They contain no text. */
const controlSequence = new RegExp(`(${esc}\\[[0-?]*[ -/]*[@-~])`);
const colour = new RegExp(`^${esc}\\[[\\d;:]*m$`);

/**
 * Filters a line that a job wrote. Keeps its colours if `colours` is set, and ends them with the line. Removes cursor moves, and
 * escapes everything else that controls a terminal.
 */
export function visibleLog(text: string, { colours }: { readonly colours: boolean }): string {
  const parts = text.split(controlSequence).map((part, index) => {
    if (index % 2 === 0) return visible(part);
    return colours && colour.test(part) ? part : "";
  });
  const coloured = parts.some((part, index) => index % 2 === 1 && part !== "");
  return `${parts.join("")}${coloured ? `${esc}[0m` : ""}`;
}
