import * as z from "zod";
import { Fault } from "../../model/fault.ts";
import type { World } from "./world.ts";

/** What the rest of a template may ask of a resource: its `Ref` and its attributes. */
export type Created = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

/** A resource's place in the template. `name`: a physical name for one that names itself none. */
export type Place = { readonly id: string; readonly name: string };

/** How one type of resource comes to be here. */
export type Kind = {
  readonly type: string;
  create(properties: Readonly<Record<string, unknown>>, place: Place, world: World): Promise<Created>;
};

type Definition<S extends z.ZodType> = {
  readonly type: string;
  /** What it understands, strictly: a property of another name stops the start. */
  readonly properties: S;
  /** Properties without any effect that could be missed on one machine. */
  readonly harmless?: readonly string[];
  create(properties: z.output<S>, place: Place, world: World): Promise<Created>;
};

export const kind = <S extends z.ZodType>(definition: Definition<S>): Kind => ({
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

/** A type that changes nothing on one machine. */
export const harmlessKind = (type: string, properties: readonly string[]): Kind =>
  kind({
    type,
    properties: z.strictObject({}),
    harmless: properties,
    create: async (_properties, { name }) => ({ ref: name, attributes: { Arn: name } }),
  });

function notUnderstood(resource: { id: string; type: string }, error: z.ZodError): Fault {
  const lines = error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `the property ${[...issue.path, key].join(".")} is not known`)
      : [`${issue.path.join(".")}: ${issue.message}`],
  );
  return new Fault(
    "template",
    `The local cloud does not understand ${resource.id} (${resource.type}): ${lines.join("; ")}. Teach lib/local/provision what it does, or list it there as harmless.`,
  );
}

export const Tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]);
