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

const Assets = z.looseObject({
  files: z.record(
    z.string(),
    z.looseObject({
      source: z.looseObject({ path: z.string().optional(), packaging: z.enum(["file", "zip"]).optional() }),
      destinations: z.record(z.string(), z.looseObject({ bucketName: z.string(), objectKey: z.string() })),
    }),
  ),
});

/** What a deployment would upload: a file, or a folder as an archive. */
export type Asset = { readonly path: string; readonly packaging: "file" | "zip"; readonly bucket: string; readonly key: string };

export const readTemplate = async (folder: string, stack: string): Promise<Template> =>
  Template.parse(JSON.parse(await readFile(join(folder, `${stack}.template.json`), "utf8")));

/** The stack's assets, but for the template itself. `names` gives `${AWS::AccountId}` and the like their values. */
export async function readAssets(folder: string, stack: string, names: Readonly<Record<string, string>>): Promise<Asset[]> {
  const assets = Assets.parse(JSON.parse(await readFile(join(folder, `${stack}.assets.json`), "utf8")));
  return Object.values(assets.files).flatMap(({ source: { path, packaging }, destinations }) => {
    if (path === undefined || packaging === undefined || path.endsWith(".template.json")) return [];
    return Object.values(destinations).map((to) => ({
      path: join(folder, path),
      packaging,
      bucket: to.bucketName.replace(/\$\{([^}]+)\}/g, (all, name: string) => names[name] ?? all),
      key: to.objectKey,
    }));
  });
}
