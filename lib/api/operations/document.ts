import * as z from "zod";
import { said } from "../http/answer.ts";
import { openApi } from "../http/document.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { noParams, noQuery } from "./path.ts";

/** The operation that tells of all the others, and of itself. */
export function describeItself(others: readonly Operation[]): Operation {
  const own: Operation = operation({
    id: "describeApi",
    method: "get",
    path: "/openapi.json",
    summary: "This document",
    params: noParams,
    query: noQuery,
    body: noBody,
    answers: { schema: z.record(z.string(), z.unknown()), statuses: { 200: "OpenAPI 3.1" } },
    problems: [],
    handle: async ({ fleet }, { origin }) => said({ ...openApi([...others, own], { title: `Fleetwright ${fleet.name}`, server: origin }) }),
  });
  return own;
}
