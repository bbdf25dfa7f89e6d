/**
 * Returns the text of a file. A byte order mark says how it is encoded and is not part of the text; without one, it is UTF-8. PowerShell's
 * `>` writes UTF-16.
 */
export function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}
