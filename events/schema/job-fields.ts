import * as z from "zod";
import { JobMessage } from "../job.ts";

type Schema = z.core.JSONSchema.BaseSchema;
type Field = { readonly name: string; readonly schema: Schema; readonly isRequired: boolean; readonly defaultValue: unknown };

/** Returns the field table of docs/jobs.md, with one row per field of the job message, including the fields of objects inside it. */
export function jobFieldTable(): string {
  const schema = z.toJSONSchema(JobMessage, { io: "input", unrepresentable: "any" });
  // The schema itself leaves out the defaults of fields that are transformed.
  const defaults: Readonly<Record<string, unknown>> = JobMessage.parse({ command: ["true"] });
  const top = propertiesOf(schema).map((field) => ({
    ...field,
    defaultValue: field.name === "command" ? undefined : defaults[field.name],
  }));
  const rows = top.flatMap((field) => [field, ...inner(field)]).map(rowOf);
  return ["| Field | Type | Default | Meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}

/** Returns the names of all fields, as the table has them. */
export const jobFieldNames = (): readonly string[] => [...jobFieldTable().matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name ?? "");

const propertiesOf = ({ properties = {}, required = [] }: Schema): Field[] =>
  Object.entries(properties).flatMap(([name, schema]): Field[] =>
    typeof schema === "boolean" ? [] : [{ name, schema, isRequired: required.includes(name), defaultValue: schema.default }],
  );

/** Returns the fields of the objects that a field may have as its value, such as `gpus.count` or `artifacts[].path`. */
function inner({ name, schema }: Field): Field[] {
  const items = schema.items;
  if (schema.type === "array" && typeof items === "object" && !Array.isArray(items))
    return inner({ name: `${name}[]`, schema: items, isRequired: false, defaultValue: undefined });
  return [schema, ...(schema.anyOf ?? [])]
    .flatMap((each) => (typeof each === "boolean" ? [] : propertiesOf(each)))
    .map((field) => ({ ...field, name: `${name}.${field.name}` }));
}

function rowOf({ name, schema, isRequired, defaultValue }: Field): string {
  const standard = isRequired ? "required" : defaultValue === undefined ? "" : `\`${JSON.stringify(defaultValue)}\``;
  return `| ${[`\`${name}\``, typeOf(schema), standard, plain(schema.description ?? "")].map(cell).join(" | ")} |`;
}

function typeOf(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(typeOfAny).join(", or ");
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(" or ");
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.type}, ${schema.minimum} to ${schema.maximum}`;
    case "array":
      return `list of at most ${schema.maxItems}; each: ${typeOfAny(Array.isArray(schema.items) ? undefined : schema.items)}`;
    case "string":
      if (schema.pattern !== undefined) return `string, \`${schema.pattern.replaceAll("\\/", "/")}\``;
      return `string, at most ${schema.maxLength} characters`;
    case "object":
      return typeof schema.additionalProperties === "object" ? `object; each value: ${typeOf(schema.additionalProperties)}` : "object";
    case "boolean":
    case "null":
      return schema.type;
    case undefined:
      return "anything";
    default:
      throw new Error(`a field of type ${String(schema.type)} has no words`);
  }
}

const typeOfAny = (schema: Schema | boolean | undefined): string => (typeof schema === "object" ? typeOf(schema) : "anything");

/** Escapes the asterisks that Markdown would read as emphasis. */
const plain = (text: string): string => text.replaceAll("*", "\\*");
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
