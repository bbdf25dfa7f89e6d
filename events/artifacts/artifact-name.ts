/**
 * File names are bytes, but paths of artifacts are text. A path is kept as it is if it is UTF-8 and all its characters are allowed in keys
 * and in XML. Any other path is escaped as a whole: each byte that is not allowed, and each `%`, is written as %XX.
 *
 * A path that contains a `%XX` of its own is escaped too. So an escaped path always contains one and a plain path never does, and two
 * names never get the same path.
 */
export type ArtifactName = { readonly path: string; readonly escaped?: true };

/** Backslash and DEL, control characters of C0 and C1, line separators, and characters that XML 1.0 does not allow. */
const unwelcome = /[\\\p{Cc}\u2028\u2029\uFFFE\uFFFF]/u;
const looksEscaped = /%[0-9A-F]{2}/;
const isCharacterStart = (byte: number): boolean => (byte & 0xc0) !== 0x80;
const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/** Returns the path under which a file of that name is kept. The name must be relative, with `/`. */
export function artifactName(name: Uint8Array): ArtifactName {
  const text = utf8(name);
  if (text !== undefined && !unwelcome.test(text) && !looksEscaped.test(text)) return { path: text };
  let path = "";
  for (let at = 0; at < name.length; ) {
    const length = characterAt(name, at);
    const bytes = name.subarray(at, at + length);
    const character = utf8(bytes);
    path += character === undefined || character === "%" || unwelcome.test(character) ? [...bytes].map(hex).join("") : character;
    at += length;
  }
  return { path, escaped: true };
}

/** Returns the original bytes of an artifact's file name. */
export function nameOfArtifact({ path, escaped }: { readonly path: string; readonly escaped?: boolean | undefined }): Uint8Array {
  const text = new TextEncoder().encode(path);
  if (!escaped) return text;
  const name: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const digits = text[at] === 0x25 ? /^[0-9A-F]{2}$/.exec(String.fromCharCode(...text.subarray(at + 1, at + 3))) : null;
    name.push(digits ? Number.parseInt(digits[0], 16) : (text[at] ?? 0));
    if (digits) at += 2;
  }
  return Uint8Array.from(name);
}

/** Returns the length, in bytes, of the character that starts there, or 1 if none does. */
function characterAt(name: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < name.length && end - at < 4 && !isCharacterStart(name[end] ?? 0)) end++;
  return utf8(name.subarray(at, end)) === undefined ? 1 : end - at;
}

/** `ignoreBOM`: a byte order mark is kept as any other character. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
