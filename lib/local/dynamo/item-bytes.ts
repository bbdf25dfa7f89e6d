/** An item as plain values: strings, numbers, booleans, null, bytes, sets, lists and maps. */
export type PlainItem = Readonly<Record<string, unknown>>;

/**
 * Returns the size of an item in bytes as DynamoDB counts it (Developer Guide, "DynamoDB item sizes and formats"): names and strings in
 * UTF-8, a byte per two digits of a number and one more, 3 bytes per list or map and 1 per member, and the members of a set.
 */
export const itemBytes = (item: PlainItem): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + (value === undefined ? 0 : Buffer.byteLength(name) + valueBytes(value)), 0);

function valueBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return numberBytes(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (value instanceof Set) return [...value].reduce((sum: number, each) => sum + valueBytes(each), 0);
  if (Array.isArray(value)) return 3 + value.reduce((sum: number, each) => sum + 1 + valueBytes(each), 0);
  if (typeof value !== "object" || value === null) return 1;
  return 3 + Object.values(value).length + itemBytes(value as PlainItem);
}

/** Pairs of digits on either side of the decimal point take a byte each, without zeros at the ends, one is for the exponent, and one for a minus sign. */
function numberBytes(value: number): number {
  if (value === 0) return 1;
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "").replace(/0+$/, "");
  // Pairs are counted from the decimal point, so the first digit may be a pair of its own.
  const isFirstOfPair = Number(exponent) % 2 !== 0;
  const pairs = isFirstOfPair ? Math.ceil(digits.length / 2) : 1 + Math.ceil((digits.length - 1) / 2);
  return 1 + pairs + (value < 0 ? 1 : 0);
}
