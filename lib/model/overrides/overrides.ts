import { own } from "../values/own.ts";
import {
  namesInWords,
  type Ordered,
  type PoolSettings,
  type SettingName,
  type SettingValues,
  valuesInWords,
  withoutValues,
  withValues,
} from "./settings.ts";

/** What was ordered about a node. It gets nothing new. If `untilMs` is set, what runs on it must have left by then, and the node is ended. */
export type NodeOrder = Ordered & { readonly untilMs?: number | undefined };

/** That a pool starts nothing. If `untilMs` is set, what runs in it must have left by then, and its nodes are ended. */
export type PoolOrder = NodeOrder;

/** A change of a pool's overrides. */
export type OverrideChange = Pick<Ordered, "by" | "because"> & {
  /** Such as "paused the pool" or "drained i-0123456789abcdef0". */
  readonly what: string;
  /** The team whose budgets were changed, which other teams must not see. */
  readonly team?: string | undefined;
  readonly atMs: number;
};

/**
 * What admins have ordered about a pool and its nodes while it runs. It applies in addition to the configuration, and survives a
 * deployment.
 */
export type Overrides = {
  /** How often it was changed. */
  readonly version: number;
  /** Set while the pool is paused or drained. */
  readonly paused?: PoolOrder | undefined;
  /** The limits and budgets that apply instead of the configured ones. */
  readonly settings?: PoolSettings | undefined;
  /** The budgets in the pool of teams, by team, that apply instead of the configured ones. */
  readonly teams?: Readonly<Record<string, PoolSettings>> | undefined;
  /** By node. Those of nodes that have left the pool are dropped with the next change. */
  readonly nodes: Readonly<Record<string, NodeOrder>>;
  /** The last changes, newest first. */
  readonly history: readonly OverrideChange[];
  /** Set if the record cannot be read. The pool then counts as paused. */
  readonly isUnknown?: true | undefined;
};

/**
 * What a change asks for. `untilMs`: when what runs on the node, or in the pool, must have left, or when the values expire. `team`: the values
 * are for the team's budgets in the pool.
 */
export type OverrideOrder =
  | { readonly kind: "pause" | "resume" }
  | { readonly kind: "drain-pool"; readonly untilMs: number }
  | {
      readonly kind: "set";
      readonly values: SettingValues;
      readonly untilMs?: number | undefined;
      readonly team?: string | undefined;
    }
  | { readonly kind: "unset"; readonly names: readonly SettingName[]; readonly team?: string | undefined }
  | { readonly kind: "cordon" | "uncordon"; readonly node: string }
  | { readonly kind: "drain"; readonly node: string; readonly untilMs: number };

/**
 * The name under which the limits across pools are set: those of the deployment, and of teams in all pools. They are stored like the overrides
 * of a pool, but no pool can have this name.
 */
export const acrossPools = "*";

export const noOverrides: Overrides = { version: 0, nodes: {}, history: [] };
export const unknownOverrides: Overrides = { ...noOverrides, isUnknown: true };

/** The most changes that are kept. */
export const maxChanges = 20;
/** The most nodes of a pool that can be cordoned or drained at the same time, because every decision reads all of them. */
export const maxNodeOrders = 100;

/**
 * Returns the overrides after a change, or the same object if the order holds already. Who paused a pool or cordoned a node first is kept,
 * and a pool that is paused again stays drained.
 */
export function changed(current: Overrides, order: OverrideOrder, { by, because, atMs }: Omit<OverrideChange, "what" | "team">): Overrides {
  const ordered: Ordered = { by, ...(because === undefined ? {} : { because }), sinceMs: atMs };
  const next = applied(current, order, ordered);
  if (next === current) return current;
  const team = "team" in order ? order.team : undefined;
  const why = because === undefined ? {} : { because };
  const change = { what: inWords(current, order), by, ...why, ...(team === undefined ? {} : { team }), atMs };
  return { ...next, version: current.version + 1, history: [change, ...current.history].slice(0, maxChanges) };
}

function applied(current: Overrides, order: OverrideOrder, ordered: Ordered): Overrides {
  if ("node" in order) return appliedToNode(current, order, ordered);
  const { paused, ...rest } = current;
  switch (order.kind) {
    case "pause":
      return paused ? current : { ...current, paused: ordered };
    case "resume":
      return paused ? rest : current;
    case "drain-pool":
      return paused?.untilMs === order.untilMs ? current : { ...current, paused: { ...ordered, untilMs: order.untilMs } };
    case "set":
      return withSettings(current, order.team, withValues(settingsOf(current, order.team), order, ordered));
    case "unset":
      return withSettings(current, order.team, withoutValues(settingsOf(current, order.team), order.names));
  }
}

/** Returns what was set for the pool, or for a team in it. */
export const settingsOf = (
  { settings, teams }: Pick<Overrides, "settings" | "teams">,
  team: string | undefined,
): PoolSettings | undefined => (team === undefined ? settings : own(teams, team));

function withSettings(current: Overrides, team: string | undefined, next: PoolSettings | undefined): Overrides {
  if (next === settingsOf(current, team)) return current;
  const { settings: _old, ...withoutOld } = current;
  if (team === undefined) return { ...withoutOld, ...(next && { settings: next }) };
  const { teams: known = {}, ...withoutTeams } = current;
  const teams = Object.fromEntries([...Object.entries(known).filter(([name]) => name !== team), ...(next ? [[team, next] as const] : [])]);
  return { ...withoutTeams, ...(Object.keys(teams).length > 0 && { teams }) };
}

function appliedToNode(current: Overrides, order: Extract<OverrideOrder, { node: string }>, ordered: Ordered): Overrides {
  const { [order.node]: known, ...others } = current.nodes;
  switch (order.kind) {
    case "cordon":
      return known ? current : { ...current, nodes: { ...others, [order.node]: ordered } };
    case "uncordon":
      return known ? { ...current, nodes: others } : current;
    case "drain":
      return known?.untilMs === order.untilMs
        ? current
        : { ...current, nodes: { ...others, [order.node]: { ...ordered, untilMs: order.untilMs } } };
  }
}

function inWords(current: Overrides, order: OverrideOrder): string {
  const of = "team" in order && order.team !== undefined ? ` for team ${order.team}` : "";
  switch (order.kind) {
    case "pause":
      return "paused the pool";
    case "resume":
      return "resumed the pool";
    case "drain-pool":
      return "drained the pool";
    case "set":
      return `set ${valuesInWords(order)}${of}`;
    case "unset":
      return `unset ${namesInWords(order.names.filter((name) => settingsOf(current, order.team)?.[name]))}${of}`;
    case "cordon":
      return `cordoned ${order.node}`;
    case "uncordon":
      return `uncordoned ${order.node}`;
    case "drain":
      return `drained ${order.node}`;
  }
}

/** Returns the overrides without the orders about nodes that are no longer `there`. */
export function aboutNodesThere(overrides: Overrides, there: ReadonlySet<string>): Overrides {
  const kept = Object.entries(overrides.nodes).filter(([node]) => there.has(node));
  return { ...overrides, nodes: Object.fromEntries(kept) };
}
