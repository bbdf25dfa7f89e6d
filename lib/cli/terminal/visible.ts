/**
 * What people did not write themselves (a job's output, a key of S3, an id) may hold characters that a terminal obeys, or that change
 * how the text around them reads: control characters (C0, DEL, C1), invisible and bidirectional format characters, line separators,
 * lone surrogates. The joiners that emoji and some scripts need stay, and so do tabs.
 */
const unsafe = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\t\u200c\u200d]]/gv;

/** In the notation of JSON, so that JSON text that passes through here means the same afterwards. */
const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`).join("");

/** One line with every unsafe character shown as `\u001b`. A line break is unsafe too. */
export const visible = (text: string): string => text.replaceAll(unsafe, escaped);

/** A text of several lines. Each line after the first is indented, so that no text can pass for a line of its own. */
export const visibleLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line, index) => `${index === 0 || /^\s/.test(line) ? "" : "  "}${visible(line)}`)
    .join("\n");

const esc = "\u001b";
/** `ESC [ … letter`: colours and moves of the cursor. They carry no text. */
const controlSequence = new RegExp(`(${esc}\\[[0-?]*[ -/]*[@-~])`);
const colour = new RegExp(`^${esc}\\[[\\d;:]*m$`);

/**
 * A line that a job wrote. Its colours stay where `colours` are wanted, and end with the line; moves of the cursor are left out;
 * everything else that a terminal would obey is shown.
 */
export function visibleLog(text: string, { colours }: { readonly colours: boolean }): string {
  const parts = text.split(controlSequence).map((part, index) => {
    if (index % 2 === 0) return visible(part);
    return colours && colour.test(part) ? part : "";
  });
  const coloured = parts.some((part, index) => index % 2 === 1 && part !== "");
  return `${parts.join("")}${coloured ? `${esc}[0m` : ""}`;
}
