/**
 * The names of files are bytes and need not be text. Code that handles them as bytes uses strings with one character (0 to 255) per byte,
 * which Node.js calls latin1.
 */

/** Returns the name in a form that people can read: bytes that are not text or would move the cursor are escaped as in Bash's $'…'. */
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

/** Returns the bytes of a name decoded as UTF-8, or undefined if they are not UTF-8. */
export function textOf(name: string): string | undefined {
  try {
    return decoder.decode(Uint8Array.from(name, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
