/**
 * Returns the size of an item in bytes as DynamoDB counts it (Developer Guide, "DynamoDB item sizes and formats"): names and strings in
 * UTF-8, about a byte per two digits of a number and one more, 3 bytes per list or map and 1 per member.
 */
export const itemBytes = (item: Readonly<Record<string, unknown>>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + (value === undefined ? 0 : Buffer.byteLength(name) + valueBytes(value)), 0);

function valueBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return Math.ceil(String(value).replace(/\D/g, "").length / 2) + 1;
  if (Array.isArray(value)) return 3 + value.reduce((sum: number, each) => sum + 1 + valueBytes(each), 0);
  if (typeof value !== "object" || value === null) return 1;
  return 3 + Object.values(value).length + itemBytes(value as Record<string, unknown>);
}
