/**
 * The names of files are bytes, and need not be text. Where they are handled as they are, a string stands for them that has one
 * character (0 to 255) a byte: what Node calls latin1.
 */

/** The name of these bytes as a person can read it: escaped as in Bash's $'…' where it is no text, or would move the cursor. */
export function printable(name: string): string {
  const text = textOf(name);
  const shown = text ?? name.replaceAll(/[\x80-\xff]/g, hex);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to escape
  return shown.replaceAll(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (char) => escapes[char] ?? hex(char));
}

const escapes: Readonly<Record<string, string | undefined>> = { "\n": String.raw`\n`, "\r": String.raw`\r`, "\t": String.raw`\t` };

const hex = (char: string): string => {
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that the bytes of a name are in UTF-8; undefined if they are none. */
export function textOf(name: string): string | undefined {
  try {
    return decoder.decode(Uint8Array.from(name, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
