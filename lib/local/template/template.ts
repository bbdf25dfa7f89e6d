import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const Resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
  Metadata: z.record(z.string(), z.unknown()).default({}),
  // These apply when a stack is updated or deleted, which never happens to a local one.
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
export type Resource = z.infer<typeof Resource>;

const Parameter = z.looseObject({ Type: z.string(), Default: z.union([z.string(), z.number()]).optional() });

/** The parts of a synthesized CloudFormation template that are interpreted here. Any other section stops the start. */
export const Template = z.strictObject({
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  /** Asserts the version of the bootstrap stack, which does not exist here. */
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
