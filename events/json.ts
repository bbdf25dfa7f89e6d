/** The value that this JSON text stands for; undefined when it is not JSON. What it is worth is for a schema to say. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
