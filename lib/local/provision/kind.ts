import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import type { ProvisionContext } from "./world.ts";

/** The values of a created resource that the rest of a template may use: its `Ref` and its attributes. */
export type Created = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

/** A resource's place in the template. `name`: its physical name if its properties have none. */
export type TemplatePlace = { readonly id: string; readonly name: string };

/** How a type of resource is created here. */
export type ResourceKind = {
  readonly type: string;
  create(properties: Readonly<Record<string, unknown>>, place: TemplatePlace, world: ProvisionContext): Promise<Created>;
};

type Definition<S extends z.ZodType> = {
  readonly type: string;
  /** The supported properties. Any other property stops the start. */
  readonly properties: S;
  /** Properties that are ignored, because they would have no effect on one machine. */
  readonly harmless?: readonly string[];
  create(properties: z.output<S>, place: TemplatePlace, world: ProvisionContext): Promise<Created>;
};

export const kind = <S extends z.ZodType>(definition: Definition<S>): ResourceKind => ({
  type: definition.type,
  create: (given, place, world) => {
    const harmless = new Set([...(definition.harmless ?? []), "Tags"]);
    const known = Object.fromEntries(
      Object.entries(given).filter(([name]) => !harmless.has(name) || declares(definition.properties, name)),
    );
    const parsed = definition.properties.safeParse(known);
    if (!parsed.success) throw notUnderstood({ id: place.id, type: definition.type }, parsed.error);
    return definition.create(parsed.data, place, world);
  },
});

const declares = (schema: z.ZodType, property: string): boolean => schema instanceof z.ZodObject && property in schema.shape;

/** Returns a kind that is ignored, because it would have no effect on one machine. */
export const harmlessKind = (type: string, properties: readonly string[]): ResourceKind =>
  kind({
    type,
    properties: z.strictObject({}),
    harmless: properties,
    create: async (_properties, { name }) => ({ ref: name, attributes: { Arn: name } }),
  });

function notUnderstood(resource: { id: string; type: string }, error: z.ZodError): FleetError {
  const lines = error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `the property ${[...issue.path, key].join(".")} is not known`)
      : [`${issue.path.join(".")}: ${issue.message}`],
  );
  return new FleetError(
    "template",
    `The local cloud does not support ${resource.id} (${resource.type}): ${lines.join("; ")}. Implement it in lib/local/provision, or list it there as harmless.`,
  );
}

export const Tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]);
