import * as z from "zod";
import { TeamName } from "../../../events/names.ts";
import { teamLimitsOf, widerInForce } from "../../decide/overrides/in-force.ts";
import { type ConfiguredLimits, type WiderReserved, widerLimits } from "../../model/limits.ts";
import { noOverrides, type Overrides } from "../../model/overrides/overrides.ts";
import { own } from "../../model/values/own.ts";
import { Count, Reserved } from "./fields.ts";
import { ChangeView, changeViews, SettingView, settingViews } from "./overrides.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";

/** Limits and reservations across all pools. */
export const Standing = z.object({
  limits: z
    .object({ usdPerHour: z.number().optional(), gpus: Count.optional() })
    .describe("The limits that apply. An omitted one does not exist"),
  reserved: Reserved,
});

export const LimitsView = z
  .object({
    version: Count.describe("The number of changes. A change can name the version that it is based on"),
    deployment: Standing.describe("Limits and reservations of all pools together"),
    teams: z
      .array(Standing.extend({ team: TeamName }))
      .describe("The same for the nodes of each team that the caller may act for; nodes of shared pools count towards no team"),
    settings: z.array(SettingView).describe("Limits that apply instead of the configured ones, without those of other teams"),
    changes: z.array(ChangeView).describe("Newest first"),
    unreadable: z.literal(true).optional().describe("Set if this release cannot read what admins have set; nothing is launched then"),
  })
  .meta({ id: "Limits" });
export type LimitsView = z.infer<typeof LimitsView>;

type SeenLimits = { readonly reservedWider: WiderReserved; readonly widerOverrides?: Overrides | undefined };
type Seeing = {
  readonly fleet: ConfiguredLimits & { readonly teams: readonly string[] };
  readonly speaker: Speaker;
  readonly nowMs: number;
};

/** Returns the limits across pools that apply, with the configured ones that they replace. */
export function limitsView({ reservedWider: reserved, widerOverrides = noOverrides }: SeenLimits, seeing: Seeing): LimitsView {
  const { fleet, speaker, nowMs } = seeing;
  const configured = widerLimits(fleet);
  const { deployment = {}, ...ofTeams } = widerInForce(configured, widerOverrides, nowMs);
  const teams = fleet.teams.filter((team) => maySpeakFor(speaker, team)).toSorted();
  const none = { usdPerHour: 0, gpus: 0 };
  return {
    version: widerOverrides.version,
    deployment: { limits: deployment, reserved: reserved.deployment },
    teams: teams.map((team) => ({ team, limits: teamLimitsOf(ofTeams, team) ?? {}, reserved: own(reserved.teams, team) ?? none })),
    settings: settingViews(
      widerOverrides,
      (name, team) => {
        const limits = team === undefined ? configured.deployment : teamLimitsOf(configured, team);
        return name === "usdPerHour" || name === "gpus" ? limits?.[name] : undefined;
      },
      seeing,
    ),
    changes: changeViews(widerOverrides, seeing),
    ...(widerOverrides.isUnknown && { unreadable: true }),
  };
}
