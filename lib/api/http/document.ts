import * as z from "zod";
import { ProblemView } from "../views/problem.ts";
import { basePath } from "./base-path.ts";
import type { Operation } from "./operation.ts";
import { type ProblemFields, statuses } from "./response.ts";

type Json = Readonly<Record<string, unknown>>;

/** The problems that every operation may have. `invalid` includes mistakes in a path or a query. */
const everywhere: readonly ProblemFields["code"][] = ["invalid", "denied", "internal", "busy"];
const titles: Readonly<Record<string, string>> = Object.fromEntries(Object.values(statuses).map(({ status, title }) => [status, title]));

/** Returns the OpenAPI 3.1 document of these operations. Its schemas come from zod as JSON Schema 2020-12, which OpenAPI 3.1 uses. */
export function openApi(operations: readonly Operation[], of: { readonly title: string; readonly server?: string | undefined }): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const each of operations) {
    const path = `${basePath}${each.path}`;
    paths[path] = { ...paths[path], [each.method]: operationOf(each) };
  }
  return {
    openapi: "3.1.1",
    info: { title: of.title, version: "1" },
    ...(of.server !== undefined && { servers: [{ url: of.server }] }),
    security: [{ sigv4: [] }],
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        sigv4: {
          type: "apiKey",
          name: "Authorization",
          in: "header",
          description: "AWS Signature Version 4 for the service lambda",
          "x-amazon-apigateway-authtype": "awsSigv4",
        },
      },
    },
  };
}

function operationOf({ id, summary, params, query, body, responses, problems }: Operation): Json {
  return {
    operationId: id,
    summary,
    ...(Object.keys({ ...params.shape, ...query.shape }).length > 0 && {
      parameters: [...parameters("path", params), ...parameters("query", query)],
    }),
    ...(body.maxBytes > 0 && {
      requestBody: { required: !body.optional, content: { "application/json": { schema: schemaOf(body.schema) } } },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses.statuses).map(([status, description]) => [
          status,
          { description, ...(status !== "204" && { content: { "application/json": { schema: schemaOf(responses.schema) } } }) },
        ]),
      ),
      ...Object.fromEntries(
        [...new Set([...everywhere, ...problems].map((code) => statuses[code].status))].map((status) => [status, refusal(status)]),
      ),
    },
  };
}

const refusal = (status: number): Json => ({
  description: titles[status],
  content: { "application/problem+json": { schema: schemaOf(ProblemView) } },
});

function parameters(place: "path" | "query", of: z.ZodObject): Json[] {
  const { required = [] } = z.toJSONSchema(of, { io: "input" });
  return Object.entries(of.shape).map(([name, schema]) => {
    const { description, ...rest } = plain(z.toJSONSchema(z.custom<z.ZodType>().parse(schema), { io: "input" }));
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

/** Returns a reference to the components if the schema has a name, and the schema itself otherwise. */
function schemaOf(schema: z.ZodType): Json {
  const name = z.globalRegistry.get(schema)?.id;
  return name === undefined ? plain(z.toJSONSchema(schema, { io: "input" })) : { $ref: pointer(name) };
}

const pointer = (name: string): string => `#/components/schemas/${name}`;

/** Returns all named schemas, in their input form, because zod forbids unknown fields in the output form and responses may grow. */
const components = (): Json =>
  Object.fromEntries(
    Object.entries(z.toJSONSchema(z.globalRegistry, { io: "input", uri: pointer }).schemas).map(([name, schema]) => [
      name,
      plain({ ...schema }),
    ]),
  );

function plain({ $schema: _schema, $id: _id, id: _name, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return rest;
}
