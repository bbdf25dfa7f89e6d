import * as z from "zod";
import { TeamName } from "../../../events/names.ts";
import { changeWiderLimits, type LimitOrder } from "../../flows/change-overrides.ts";
import { acrossPools } from "../../model/overrides/overrides.ts";
import { fieldOf, type SettingName, settingOfField } from "../../model/overrides/settings.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, type OperationCall, operation } from "../http/operation.ts";
import { type ApiResponse, problem, success } from "../http/response.ts";
import { LimitsView, limitsView } from "../views/limits.ts";
import { nameOf } from "../views/overrides.ts";
import type { Speaker } from "../views/speaker.ts";
import { bodyBytes, noTeam, Order, whoChanged, whyNothingToUnset } from "./overrides.ts";
import { noParams, noQuery } from "./path.ts";
import { expiry, LimitValues, untilOf } from "./settings.ts";

/** The limits that exist across pools. */
const names = ["usdPerHour", "gpus"] as const satisfies readonly SettingName[];

const team = TeamName.optional().describe(
  "The team whose limits in all pools together are meant; if omitted, those of the whole deployment",
);

const SetLimits = Order.extend({
  team,
  limits: LimitValues.describe(
    "The most that may be reserved in all pools together, instead of the configured limits. A limit that is omitted stays as it is",
  ),
  ...expiry,
});
const UnsetLimits = Order.extend({
  team,
  settings: z
    .array(z.enum(names.map((name) => fieldOf[name])))
    .min(1)
    .optional()
    .describe("The fields whose configured values apply again; all if omitted"),
});

const get = operation({
  id: "getLimits",
  method: "get",
  path: "/limits",
  summary: "Returns the limits across pools: those that apply, and what was configured instead",
  params: noParams,
  query: noQuery,
  body: noBody,
  responses: { schema: LimitsView, statuses: { 200: "The limits of the deployment, and of the teams that the caller may act for" } },
  problems: [],
  handle: (deps, { speaker }) => look(deps, speaker),
});

const common = {
  method: "post",
  params: noParams,
  query: noQuery,
  responses: { schema: LimitsView, statuses: { 200: "The limits across pools as they are now" } },
  problems: ["conflict", "media-type", "too-large"],
} as const;

const set = operation({
  ...common,
  id: "setLimits",
  path: "/limits/set",
  summary: "Sets limits across pools instead of the configured ones, until a time if one is given",
  body: { schema: SetLimits, maxBytes: bodyBytes, optional: false },
  async handle(deps, call) {
    const { limits: values } = call.body;
    if (Object.values(values).every((value) => value === undefined))
      return problem("invalid", `Name at least one of ${names.map((name) => fieldOf[name]).join(", ")}.`);
    const untilMs = untilOf(call.body, deps.now());
    if (typeof untilMs === "string") return problem("invalid", untilMs);
    return give(deps, call, { kind: "set", values, ...(untilMs !== undefined && { untilMs }) });
  },
});

const unset = operation({
  ...common,
  id: "unsetLimits",
  path: "/limits/unset",
  summary: "Lets the configured limits across pools apply again",
  body: { schema: UnsetLimits, maxBytes: bodyBytes, optional: true },
  handle: (deps, call) =>
    give(deps, call, { kind: "unset", names: call.body.settings?.flatMap((field) => settingOfField(field) ?? []) ?? names }),
});

type Given = Pick<
  OperationCall<unknown, unknown, z.output<typeof Order> & { readonly team?: string | undefined }>,
  "speaker" | "caller" | "body"
>;

/** Gives an admin's order about limits across pools, and returns them as they are then. */
async function give(deps: ApiDeps, { speaker, caller, body }: Given, order: LimitOrder["order"]): Promise<ApiResponse<LimitsView>> {
  if (speaker.kind !== "admin") return problem("denied", "Only an admin may set limits across pools.");
  const { fleet } = deps;
  const wrong = order.kind === "set" ? whyNoTeam(fleet, body.team) : await whyNothingToUnset(deps, acrossPools, body.team);
  if (wrong !== undefined) return problem("invalid", wrong);
  const outcome = await changeWiderLimits(
    deps,
    fleet.pools.map(({ name }) => name),
    {
      order: { ...order, ...(body.team !== undefined && { team: body.team }) },
      by: nameOf(caller),
      because: body.reason,
      ifVersion: body.version,
    },
  );
  if (outcome.kind === "done") return look(deps, speaker);
  if (outcome.kind === "conflict") return problem("conflict", whoChanged("limits across pools", outcome.overrides));
  return problem("conflict", "This release cannot read the limits across pools that were set. The list of problems names the fields.");
}

const whyNoTeam = ({ teams }: ApiDeps["fleet"], team: string | undefined): string | undefined =>
  team === undefined || teams.includes(team) ? undefined : noTeam(team);

/** What is reserved across pools is read together with any pool. */
async function look(deps: ApiDeps, speaker: Speaker): Promise<ApiResponse<LimitsView>> {
  const nowMs = deps.now();
  const seen = await deps.decisions.load(deps.fleet.defaultPool, nowMs);
  return success(limitsView(seen, { fleet: deps.fleet, speaker, nowMs }));
}

export const limitOperations: readonly Operation[] = [get, set, unset];
