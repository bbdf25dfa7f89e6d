import * as z from "zod";
import { TeamName } from "../../../events/job.ts";
import { teamBudgetsOf } from "../../decide/overrides/in-force.ts";
import { type NodeOrder, type Overrides, settingsOf } from "../../model/overrides/overrides.ts";
import { fieldOf, type Ordered, type SettingName, settingNames, settingsInForce } from "../../model/overrides/settings.ts";
import type { Pool } from "../../model/pool.ts";
import { whenSpents } from "../../model/values/when-spent.ts";
import { Count, Time } from "./fields.ts";
import { maySpeakFor, type SigningPrincipal, type Speaker, sessionOf } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";

const ordered = { by: z.string().describe("The admin, as IAM names the caller"), reason: z.string().optional(), since: Time };

export const NodeOrderView = z.object({
  kind: z.enum(["cordon", "drain"]).describe("cordon: the node gets nothing new; drain: in addition, it is emptied and ended"),
  ...ordered,
  until: Time.optional().describe("When what runs on a drained node is stopped and queued again"),
});
export type NodeOrderView = z.infer<typeof NodeOrderView>;

const SettingValue = z.union([z.number(), z.enum(whenSpents)]);

const SettingView = z.object({
  team: TeamName.optional().describe("The team whose budgets in the pool are meant; omitted for those of the pool"),
  setting: z.enum(settingNames.map((name) => fieldOf[name])).describe("The field of the pool's configuration"),
  value: SettingValue.describe("The value that applies"),
  configured: SettingValue.optional().describe("The value that would apply otherwise; omitted if the configuration has none"),
  ...ordered,
  until: Time.optional().describe("When the configured value applies again"),
});
export type SettingView = z.infer<typeof SettingView>;

export const OverridesView = z
  .object({
    version: Count.describe("The number of changes. A change can name the version that it is based on"),
    paused: z
      .object({ ...ordered, until: Time.optional().describe("Set if the pool is drained: when what runs is stopped and queued again") })
      .optional()
      .describe("Set while the pool starts nothing"),
    settings: z.array(SettingView).describe("Limits and budgets that apply instead of the configured ones, without those of other teams"),
    nodes: z.array(NodeOrderView.extend({ node: z.string() })),
    changes: z.array(z.object({ what: z.string(), by: z.string(), reason: z.string().optional(), at: Time })).describe("Newest first"),
    leaving: z
      .array(z.object({ node: z.string(), because: z.string() }))
      .optional()
      .describe("Set in the response to a drained pool's resumption: the nodes that leave the pool all the same"),
    unreadable: z.literal(true).optional().describe("Set if this release cannot read the overrides; the pool then counts as paused"),
  })
  .meta({ id: "Overrides" });
export type OverridesView = z.infer<typeof OverridesView>;

const orderedView = ({ by, because, sinceMs }: Ordered) => ({ by, reason: because, since: iso(sinceMs) });

export const nodeOrderView = (order: NodeOrder): NodeOrderView => ({
  kind: order.untilMs === undefined ? "cordon" : "drain",
  ...orderedView(order),
  until: isoIf(order.untilMs),
});

/** `pool`: as it is configured. `leaving`: the nodes that leave a pool that was resumed. */
type About = {
  readonly pool: Pick<Pool, "limits" | "budgets" | "teamBudgets">;
  readonly speaker: Speaker;
  readonly nowMs: number;
  readonly leaving?: readonly { readonly node: string; readonly because: string }[] | undefined;
};

/** Returns the overrides without what is about teams that the speaker may not act for. */
export function overridesView(overrides: Overrides, about: About): OverridesView {
  const { version, paused, nodes, history, isUnknown } = overrides;
  const { speaker, leaving } = about;
  const teams = Object.keys(overrides.teams ?? {}).toSorted();
  const isSeen = (team: string | undefined): boolean => team === undefined || maySpeakFor(speaker, team);
  return {
    version,
    paused: paused && { ...orderedView(paused), until: isoIf(paused.untilMs) },
    settings: [undefined, ...teams].filter(isSeen).flatMap((team) => settingViews(overrides, team, about)),
    nodes: Object.entries(nodes)
      .map(([node, order]) => ({ node, ...nodeOrderView(order) }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    changes: history
      .filter(({ team }) => isSeen(team))
      .map(({ what, by, because, atMs }) => ({ what, by, reason: because, at: iso(atMs) })),
    ...(leaving && { leaving: [...leaving] }),
    ...(isUnknown && { unreadable: true }),
  };
}

const settingViews = (overrides: Overrides, team: string | undefined, { pool, nowMs }: About): SettingView[] =>
  settingsInForce(settingsOf(overrides, team), nowMs).map(([name, setting]) => ({
    team,
    setting: fieldOf[name],
    value: setting.value,
    configured: configured(pool, name, team),
    ...orderedView(setting),
    until: isoIf(setting.untilMs),
  }));

function configured(pool: About["pool"], name: SettingName, team: string | undefined) {
  if (team !== undefined) return name === "usdPerHour" || name === "gpus" ? undefined : teamBudgetsOf(pool, team)?.[name];
  return name === "usdPerHour" || name === "gpus" ? pool.limits[name] : pool.budgets?.[name];
}

/** Returns a caller's name for people: the role and its session, or the user. */
export function nameOf({ arn }: SigningPrincipal): string {
  const session = sessionOf(arn);
  return session ? `${session.role}/${session.session}` : (arn.split(/[:/]/).at(-1) ?? arn);
}
