import * as z from "zod";
import { PoolName } from "../../../events/names.ts";
import { decisionCursor, decisionId } from "../../ports/decision-reader.ts";
import { noBody, type Operation, operation } from "../http/operation.ts";
import { problem, success } from "../http/response.ts";
import { DecisionPage, DecisionView, decisionSummary, decisionView } from "../views/decisions.ts";
import { cursor, limitOf, noQuery, ofPool } from "./path.ts";
import { noPool } from "./pools.ts";

const list = operation({
  id: "listDecisions",
  method: "get",
  path: "/pools/{pool}/decisions",
  summary: "Lists decisions that did something, newest first; a page may be short or empty and still have a next page",
  params: ofPool,
  query: z.strictObject({ limit: limitOf(50, 20), cursor }),
  body: noBody,
  responses: { schema: DecisionPage, statuses: { 200: "A page of decisions" } },
  problems: ["not-found", "cursor"],
  async handle(deps, { params, query, speaker }) {
    if (!deps.fleet.pools.some(({ name }) => name === params.pool)) return noPool(params.pool);
    if (query.cursor !== undefined && !decisionCursor.test(query.cursor)) return problem("cursor", "The cursor is invalid.");
    const page = await deps.decisionReader.page(params.pool, query);
    return success({ items: page.decisions.map((each) => decisionSummary(each, speaker)), cursor: page.cursor });
  },
});

const get = operation({
  id: "getDecision",
  method: "get",
  path: "/pools/{pool}/decisions/{decision}",
  summary: "Returns a decision: what it found, in numbers, and what it did",
  params: z.strictObject({ pool: PoolName, decision: z.string().regex(decisionId, "must look like 20261124-130509.123Z-…") }),
  query: noQuery,
  body: noBody,
  responses: { schema: DecisionView, statuses: { 200: "The decision" } },
  problems: ["not-found"],
  async handle(deps, { params, speaker }) {
    if (!deps.fleet.pools.some(({ name }) => name === params.pool)) return noPool(params.pool);
    const decision = await deps.decisionReader.get(params.pool, params.decision);
    return decision
      ? success(decisionView(decision, speaker))
      : problem(
          "not-found",
          `The pool ${params.pool} has no recorded decision ${params.decision}; only decisions that did something are kept.`,
        );
  },
});

export const decisionOperations: readonly Operation[] = [list, get];
