import * as z from "zod";
import { TeamName } from "../../../events/names.ts";
import { teamBudgetsOf } from "../../decide/overrides/in-force.ts";
import { type NodeOrder, type OverrideChange, type Overrides, settingsOf } from "../../model/overrides/overrides.ts";
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

export const SettingView = z.object({
  team: TeamName.optional().describe(
    "The team whose budgets in the pool, or whose limits across pools, are meant; omitted for those of all teams",
  ),
  setting: z.enum(settingNames.map((name) => fieldOf[name])).describe("The field of the configuration"),
  value: SettingValue.describe("The value that applies"),
  configured: SettingValue.optional().describe("The value that would apply otherwise; omitted if the configuration has none"),
  ...ordered,
  until: Time.optional().describe("When the configured value applies again"),
});
export type SettingView = z.infer<typeof SettingView>;

export const ChangeView = z.object({ what: z.string(), by: z.string(), reason: z.string().optional(), at: Time });
export type ChangeView = z.infer<typeof ChangeView>;

export const OverridesView = z
  .object({
    version: Count.describe("The number of changes. A change can name the version that it is based on"),
    paused: z
      .object({ ...ordered, until: Time.optional().describe("Set if the pool is drained: when what runs is stopped and queued again") })
      .optional()
      .describe("Set while the pool starts nothing"),
    settings: z
      .array(SettingView)
      .describe("Limits, budgets and the minimum that apply instead of the configured ones, without those of other teams"),
    nodes: z.array(NodeOrderView.extend({ node: z.string() })),
    changes: z.array(ChangeView).describe("Newest first"),
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
  readonly pool: Pick<Pool, "limits" | "budgets" | "teamBudgets" | "minNodes">;
  readonly speaker: Speaker;
  readonly nowMs: number;
  readonly leaving?: readonly { readonly node: string; readonly because: string }[] | undefined;
};

/** Returns the overrides without what is about teams that the speaker may not act for. */
export function overridesView(overrides: Overrides, about: About): OverridesView {
  const { version, paused, nodes, isUnknown } = overrides;
  const { pool, leaving } = about;
  return {
    version,
    paused: paused && { ...orderedView(paused), until: isoIf(paused.untilMs) },
    settings: settingViews(overrides, (name, team) => configured(pool, name, team), about),
    nodes: Object.entries(nodes)
      .map(([node, order]) => ({ node, ...nodeOrderView(order) }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    changes: changeViews(overrides, about),
    ...(leaving && { leaving: [...leaving] }),
    ...(isUnknown && { unreadable: true }),
  };
}

type Seeing = Pick<About, "speaker" | "nowMs">;
const isSeen = (team: string | undefined, { speaker }: Pick<Seeing, "speaker">): boolean =>
  team === undefined || maySpeakFor(speaker, team);

/** Returns the values that apply, without those of teams that the speaker may not act for. `configuredOf` returns the configured value. */
export function settingViews(
  overrides: Pick<Overrides, "settings" | "teams">,
  configuredOf: (name: SettingName, team: string | undefined) => SettingView["configured"],
  seeing: Seeing,
): SettingView[] {
  const teams = Object.keys(overrides.teams ?? {}).toSorted();
  return [undefined, ...teams]
    .filter((team) => isSeen(team, seeing))
    .flatMap((team) =>
      settingsInForce(settingsOf(overrides, team), seeing.nowMs).map(([name, setting]) => ({
        team,
        setting: fieldOf[name],
        value: setting.value,
        configured: configuredOf(name, team),
        ...orderedView(setting),
        until: isoIf(setting.untilMs),
      })),
    );
}

/** Returns the last changes, without those about teams that the speaker may not act for. */
export const changeViews = ({ history }: { readonly history: readonly OverrideChange[] }, seeing: Pick<Seeing, "speaker">): ChangeView[] =>
  history.filter(({ team }) => isSeen(team, seeing)).map(({ what, by, because, atMs }) => ({ what, by, reason: because, at: iso(atMs) }));

function configured(pool: About["pool"], name: SettingName, team: string | undefined) {
  if (name === "minNodes") return team === undefined ? (pool.minNodes ?? 0) : undefined;
  if (name === "usdPerHour" || name === "gpus") return team === undefined ? pool.limits[name] : undefined;
  return (team === undefined ? pool.budgets : teamBudgetsOf(pool, team))?.[name];
}

/** Returns a caller's name for people: the role and its session, or the user. */
export function nameOf({ arn }: SigningPrincipal): string {
  const session = sessionOf(arn);
  return session ? `${session.role}/${session.session}` : (arn.split(/[:/]/).at(-1) ?? arn);
}
