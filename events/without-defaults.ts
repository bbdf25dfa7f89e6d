import * as z from "zod";
import { canonicalJson } from "./json.ts";

type Schema = z.core.$ZodType;

/**
 * Returns the same value without the fields, at any depth, whose value is the schema's default. So a field that a later version of the
 * schema adds with a default does not occur in values that do not use it. The value must be one that the schema returned, and must be
 * valid input for the schema too.
 */
export function withoutDefaults(schema: Schema, value: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return withoutDefaults(schema.unwrap(), value);
  if (schema instanceof z.ZodPipe) return withoutDefaults(schema.in instanceof z.ZodTransform ? schema.out : schema.in, value);
  if (schema instanceof z.ZodUnion) {
    const option = schema.options.find((each) => z.safeParse(each, value).success);
    return option === undefined ? value : withoutDefaults(option, value);
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) return value.map((each) => withoutDefaults(schema.element, each));
  if (schema instanceof z.ZodObject && typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).flatMap(([name, each]) => keptField(schema.shape[name], name, each)));
  return value;
}

function keptField(field: Schema | undefined, name: string, value: unknown): [string, unknown][] {
  if (field === undefined) return [[name, value]];
  const kept = withoutDefaults(field, value);
  const filled = z.safeParse(field, undefined);
  const isDefault = filled.success && canonicalJson(withoutDefaults(field, filled.data)) === canonicalJson(kept);
  return isDefault ? [] : [[name, kept]];
}
