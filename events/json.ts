/** Removes the byte order mark that some editors and shells put before a text. JSON and tables must not begin with one. */
export const withoutBom = (text: string): string => (text.startsWith("\uFEFF") ? text.slice(1) : text);

/** Returns the value of a JSON text, or undefined if it is not JSON. Callers must check the value with a schema. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(withoutBom(text));
  } catch {
    return undefined;
  }
}

/** Returns the message of an error of `JSON.parse` without the part of the text that it quotes, which may hold a secret. */
export const unquoted = (message: string): string => message.replace(/, (?:\.{3})?".*"(?:\.{3})? is not valid JSON$/s, "");

/** Returns the JSON text of a value with the keys of its objects in order, so that equal values have equal texts. */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value));

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, ordered(each)]),
  );
}
