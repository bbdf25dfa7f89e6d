import * as z from "zod";
import { changeOverrides } from "../../flows/change-overrides.ts";
import { maxDeadlineSeconds, maxReasonLength } from "../../model/overrides/bounds.ts";
import { maxNodeOrders, type OverrideOrder, type Overrides, settingsOf } from "../../model/overrides/overrides.ts";
import { minuteName } from "../../model/values/period.ts";
import type { ApiDeps } from "../http/deps.ts";
import { type Operation, type OperationCall, operation } from "../http/operation.ts";
import { type ApiResponse, problem, success } from "../http/response.ts";
import { nameOf, OverridesView, overridesView } from "../views/overrides.ts";
import { NodeId } from "./nodes.ts";
import { noQuery, ofPool } from "./path.ts";
import { noPool } from "./pools.ts";

export const Order = z.strictObject({
  reason: z.string().min(1).max(maxReasonLength).optional().describe("The reason, which waiting jobs show"),
  version: z
    .int()
    .min(0)
    .optional()
    .describe("The version of the pool's overrides that this change is based on; if another one is current, the change is refused"),
});
const DrainOrder = Order.extend({
  deadlineSeconds: z
    .int()
    .min(0)
    .max(maxDeadlineSeconds)
    .optional()
    .describe("How long what runs may go on; if omitted, the pool's `drainSeconds`"),
});
const ofNode = z.strictObject({ node: NodeId });
export const bodyBytes = 4_096;

export const common = {
  method: "post",
  query: noQuery,
  responses: { schema: OverridesView, statuses: { 200: "The pool's overrides as they are now" } },
  problems: ["not-found", "conflict", "media-type", "too-large"],
} as const;

const ofPools = (kind: "pause" | "resume", summary: string): Operation =>
  operation({
    ...common,
    id: `${kind}Pool`,
    path: `/pools/{pool}/${kind}`,
    summary,
    params: ofPool,
    body: { schema: Order, maxBytes: bodyBytes, optional: true },
    handle: (deps, call) => give(deps, call, { pool: call.params.pool, order: { kind } }),
  });

const ofNodes = (kind: "cordon" | "uncordon", summary: string): Operation =>
  operation({
    ...common,
    id: `${kind}Node`,
    path: `/nodes/{node}/${kind}`,
    summary,
    params: ofNode,
    body: { schema: Order, maxBytes: bodyBytes, optional: true },
    handle: (deps, call) => give(deps, call, { order: { kind, node: call.params.node } }),
  });

const drainPool = operation({
  ...common,
  id: "drainPool",
  path: "/pools/{pool}/drain",
  summary: "Empties a pool: it starts nothing new, idle nodes end, and what runs at the deadline is stopped and queued again",
  params: ofPool,
  body: { schema: DrainOrder, maxBytes: bodyBytes, optional: true },
  handle: (deps, call) => give(deps, call, { pool: call.params.pool, order: { kind: "drain-pool", seconds: call.body.deadlineSeconds } }),
});

const drainNode = operation({
  ...common,
  id: "drainNode",
  path: "/nodes/{node}/drain",
  summary: "Empties a node and ends it: it gets nothing new, and what runs at the deadline is stopped and queued again",
  params: ofNode,
  body: { schema: DrainOrder, maxBytes: bodyBytes, optional: true },
  handle: (deps, call) => give(deps, call, { order: { kind: "drain", node: call.params.node, seconds: call.body.deadlineSeconds } }),
});

/** An order whose deadline is not known yet. */
type Wanted =
  | Exclude<OverrideOrder, { untilMs: number }>
  | ({ readonly seconds: number | undefined } & ({ readonly kind: "drain"; readonly node: string } | { readonly kind: "drain-pool" }));

/** Gives an admin's order, and returns the overrides as they are then. */
export async function give(
  deps: ApiDeps,
  { speaker, caller, body }: Pick<OperationCall<unknown, unknown, z.output<typeof Order>>, "speaker" | "caller" | "body">,
  of: { readonly pool?: string; readonly order: Wanted },
): Promise<ApiResponse<OverridesView>> {
  if (speaker.kind !== "admin") return problem("denied", "Only an admin may give orders about pools and nodes.");
  const { order } = of;
  const name = of.pool ?? ("node" in order ? (await deps.nodeReader.find(order.node))?.pool : undefined);
  if (name === undefined) return noNode(order);
  const pool = deps.fleet.pools.find((each) => each.name === name);
  if (!pool) return noPool(name);
  const dated = "seconds" in order ? { ...order, untilMs: deps.now() + (order.seconds ?? pool.drainSeconds) * 1000 } : order;
  const outcome = await changeOverrides(deps, name, { order: dated, by: nameOf(caller), because: body.reason, ifVersion: body.version });
  switch (outcome.kind) {
    case "done":
      return success(overridesView(outcome.overrides, { pool, speaker, nowMs: deps.now(), leaving: outcome.leaving }));
    case "conflict":
      return problem("conflict", whoChanged(`overrides of pool ${name}`, outcome.overrides));
    case "leaving":
      return problem("conflict", `The node ${nodeOf(order)} is leaving its pool already: ${outcome.because}.`);
    case "pool-drained":
      return problem(
        "conflict",
        `${outcome.by} drains the whole pool ${name}, so the node ${nodeOf(order)} leaves it. Resume the pool: that keeps every node that still works.`,
      );
    case "unreadable":
      return problem("conflict", `This release cannot read the overrides of pool ${name}. The list of problems names the fields.`);
    case "full":
      return problem("conflict", `Only ${maxNodeOrders} nodes of a pool can be cordoned or drained at the same time.`);
    case "no-node":
      return noNode(order);
  }
}

/**
 * Returns why nothing can be unset for the team; undefined if it can. A team that was removed from the configuration may still have values
 * under `name`, the pool's or that of the limits across pools. If they were unset lately, the call may be a repeated one.
 */
export async function whyNothingToUnset(
  { fleet, overrides }: ApiDeps,
  name: string,
  team: string | undefined,
): Promise<string | undefined> {
  if (team === undefined || fleet.teams.includes(team)) return undefined;
  const current = await overrides.get(name);
  const wasSet = settingsOf(current, team) !== undefined || current.history.some((change) => change.team === team);
  return current.isUnknown || wasSet ? undefined : noTeam(team);
}

export const noTeam = (team: string): string => `There is no team ${team}.`;

const nodeOf = (order: Wanted): string => ("node" in order ? order.node : "");
const noNode = (order: Wanted) => problem("not-found", `There is no node ${nodeOf(order)} that is in a pool.`);

/** Returns why a change that is based on another version is refused. `which`: such as "overrides of pool gpu". */
export function whoChanged(which: string, { version, history: [last] }: Overrides): string {
  if (!last) return `The ${which} were never changed; their version is ${version}. Look at them, then repeat the call.`;
  const { what, by, atMs } = last;
  return `Somebody else has changed the ${which}: ${by} ${what} at ${minuteName(atMs)}; their version is ${version} now. Look at them, then repeat the call.`;
}

export const overrideOperations: readonly Operation[] = [
  ofPools("pause", "Pauses a pool: it starts nothing new, and what runs goes on"),
  drainPool,
  ofPools("resume", "Resumes a pool that is paused or drained. Drains that have begun are dropped on nodes that still work"),
  ofNodes("cordon", "Cordons a node: it gets nothing new, and is ended only if it is idle"),
  ofNodes("uncordon", "Lets a node that was cordoned or drained get jobs again. A drain that has begun is dropped if the node still works"),
  drainNode,
];
