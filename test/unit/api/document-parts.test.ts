import { expect, test } from "vitest";
import * as z from "zod";
import { openApi } from "../../../lib/api/http/document.ts";
import { noBody, type Operation, operation } from "../../../lib/api/http/operation.ts";

const params = z.object({ team: z.string().describe("The team.") });
const query = z.object({ limit: z.coerce.number().int().default(10).describe("At most this many."), state: z.enum(["queued", "running"]) });
const of = { path: "/teams/{team}/things", params, query, problems: ["conflict"] } as const;
const list = operation({
  ...of,
  id: "listThings",
  method: "get",
  summary: "Lists things.",
  body: noBody,
  responses: { schema: z.object({ items: z.array(z.string()) }), statuses: { 200: "The things." } },
  handle: async () => ({ kind: "success", status: 200, body: { items: [] } }),
});
const remove = operation({
  ...of,
  id: "removeThings",
  method: "delete",
  summary: "Removes things.",
  query: z.object({}),
  problems: [],
  body: { schema: z.object({ names: z.array(z.string()) }), maxBytes: 1, optional: false },
  responses: { schema: z.undefined(), statuses: { 204: "Removed." } },
  handle: async () => ({ kind: "success", status: 204, body: undefined }),
});
const ping = operation({
  ...of,
  id: "ping",
  method: "post",
  path: "/ping",
  summary: "Pings.",
  params: z.object({}),
  query: z.object({}),
  problems: [],
  body: { schema: z.object({}), maxBytes: 1, optional: true },
  responses: { schema: z.string(), statuses: { 200: "Pong.", 201: "Made." } },
  handle: async () => ({ kind: "success", status: 200, body: "pong" }),
});

test("the document describes each operation with its parameters, body, responses and problems", () => {
  const operations: readonly Operation[] = [list, remove, ping];
  const { components, ...document } = openApi(operations, { title: "Things" });
  expect(document).toMatchSnapshot();
  expect(components).toMatchObject({
    securitySchemes: {
      sigv4: {
        type: "apiKey",
        name: "Authorization",
        in: "header",
        description: "AWS Signature Version 4 for the service lambda",
        "x-amazon-apigateway-authtype": "awsSigv4",
      },
    },
  });
});
