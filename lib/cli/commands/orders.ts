import type { OverridesView } from "../../api/views/overrides.ts";
import { exitCodes } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { Context } from "../session/context.ts";
import { poolNamed } from "../session/team.ts";
import { when } from "../terminal/duration.ts";
import { advised } from "./advised.ts";

export type OrderOptions = {
  readonly reason?: string | undefined;
  readonly ifVersion?: number | undefined;
  readonly json?: boolean | undefined;
};

/** Pauses a pool, or resumes it. */
export async function orderPool(
  kind: "pause" | "resume",
  { name, ...options }: OrderOptions & { readonly name: string },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const pool = poolNamed(name, connection.deployment);
  const overrides = await connection.api.orderPool(pool, kind, bodyOf(options));
  if (options.json) console.out(JSON.stringify({ pool, overrides }));
  else console.out(poolLine(pool, overrides, nowMs));
  return exitCodes.ok;
}

function poolLine(pool: string, { paused }: OverridesView, nowMs: number): string {
  if (!paused) return `pool ${pool} is not paused; jobs that wait start with the next decision`;
  const resume = commandLine("pool", "resume", pool);
  return `pool ${pool} is ${pausedInWords(paused, nowMs)}: it starts nothing, and what runs goes on; resume it with: ${resume}`;
}

/** Cordons, uncordons or drains a node. */
export async function orderNode(
  kind: "cordon" | "uncordon" | "drain",
  { node, deadline, ...options }: OrderOptions & { readonly node: string; readonly deadline?: number | undefined },
  { connection, console, nowMs }: Context,
): Promise<number> {
  const body = { ...bodyOf(options), ...(deadline === undefined ? {} : { deadlineSeconds: deadline }) };
  const order = connection.api.orderNode(node, kind, body);
  const overrides = await advised(order, `there is no node ${node}; list them with: ${commandLine("nodes")}`);
  if (options.json) console.out(JSON.stringify({ node, overrides }));
  else console.out(nodeLine(node, overrides, nowMs));
  return exitCodes.ok;
}

function nodeLine(node: string, { nodes }: OverridesView, nowMs: number): string {
  const order = nodes.find((each) => each.node === node);
  if (!order) return `${node} is not cordoned and can get jobs again`;
  if (order.until === undefined) return `${node} is cordoned: it gets nothing new, and is ended when it is idle, as any node`;
  return `${node} is drained: it gets nothing new, what runs may continue until ${when(Date.parse(order.until), nowMs)}, and it is ended when it is empty`;
}

type Ordered = NonNullable<OverridesView["paused"]>;

/** Formats `2026-06-01 00:00:00 UTC, 2 h ago (new image)`. */
export const sinceWhen = ({ since, reason }: Pick<Ordered, "since" | "reason">, nowMs: number): string =>
  `${when(Date.parse(since), nowMs)}${reason === undefined ? "" : ` (${reason})`}`;

/** Formats `paused by Admin/ada since …, 2 h ago (new image)`. */
export const pausedInWords = (paused: Ordered, nowMs: number): string => `paused by ${paused.by} since ${sinceWhen(paused, nowMs)}`;

/** Formats `cordoned by Admin/ada at …, 2 h ago (slow disk)`. */
export function orderInWords({ by, until, ...ordered }: Ordered & { readonly until?: string | undefined }, nowMs: number): string {
  const order = until === undefined ? "cordoned" : `drained until ${when(Date.parse(until), nowMs)}`;
  return `${order} by ${by} at ${sinceWhen(ordered, nowMs)}`;
}

const bodyOf = ({ reason, ifVersion }: OrderOptions) => ({
  ...(reason === undefined ? {} : { reason }),
  ...(ifVersion === undefined ? {} : { version: ifVersion }),
});
