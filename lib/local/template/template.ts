import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const Resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
  Metadata: z.record(z.string(), z.unknown()).default({}),
  // What happens when a stack is changed or deleted: a local one is never either.
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
export type Resource = z.infer<typeof Resource>;

const Parameter = z.looseObject({ Type: z.string(), Default: z.union([z.string(), z.number()]).optional() });

/** A synthesized CloudFormation template, as far as it is interpreted here. A section of another name stops the start. */
export const Template = z.strictObject({
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  /** Asserts the bootstrap stack's version; there is none here. */
  Rules: z.unknown().optional(),
  Parameters: z.record(z.string(), Parameter).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), Resource),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })).default({}),
});
export type Template = z.infer<typeof Template>;

export const readTemplate = async (folder: string, stack: string): Promise<Template> =>
  Template.parse(JSON.parse(await readFile(join(folder, `${stack}.template.json`), "utf8")));
