import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";

/** The most texts whose values are remembered per kind. */
const maxKnown = 10_000;

/**
 * Parses a value that an item holds as JSON text. DynamoDB's own form of nested values takes several times as long to read, and decisions
 * read thousands of them. Only values that are always written as a whole may be stored like this.
 */
export const packed = <T>(schema: z.ZodType<T>): z.ZodType<T> =>
  z.string().transform((text, context): T => unpacked(schema, text, context));

/** Does the same. Equal texts share their value, because most items hold one of few, and checking each would take most of the time. */
export function sharedPacked<T>(schema: z.ZodType<T>): z.ZodType<T> {
  const known = new Map<string, T>();
  return z.string().transform((text, context): T => {
    const same = known.get(text);
    if (same !== undefined) return same;
    const value = unpacked(schema, text, context);
    if (known.size >= maxKnown) known.clear();
    if (value !== z.NEVER) known.set(text, value);
    return value;
  });
}

function unpacked<T>(schema: z.ZodType<T>, text: string, context: z.RefinementCtx): T {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  context.issues.push(...parsed.error.issues.map(({ path, message }) => ({ code: "custom" as const, path, message, input: text })));
  return z.NEVER;
}

/** Returns the text of a value. Undefined fields are not written. */
export const packedText = (value: unknown): string => JSON.stringify(value);
