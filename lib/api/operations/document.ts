import * as z from "zod";
import { openApi } from "../http/document.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { success } from "../http/response.ts";
import { noParams, noQuery } from "./path.ts";

/** Returns the operation that describes the others and itself. */
export function describeItself(others: readonly Operation[]): Operation {
  const own: Operation = operation({
    id: "describeApi",
    method: "get",
    path: "/openapi.json",
    summary: "Returns this document",
    params: noParams,
    query: noQuery,
    body: noBody,
    responses: { schema: z.record(z.string(), z.unknown()), statuses: { 200: "The OpenAPI 3.1 document" } },
    problems: [],
    handle: async ({ fleet }, { origin }) =>
      success({ ...openApi([...others, own], { title: `Fleetwright ${fleet.name}`, server: origin }) }),
  });
  return own;
}
