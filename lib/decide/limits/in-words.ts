import type { Reservation } from "../../model/launch.ts";
import type { LimitScope, Limits } from "../../model/limits.ts";
import type { Snapshot } from "../../model/plan.ts";
import { cost, dollars, gpus } from "../../model/values/amount.ts";
import { own } from "../../model/values/own.ts";
import { type Allowance, leftOf, scopes } from "./allowance.ts";

/** "$40/h and 16 GPUs", or only the part that is limited. */
export const inWords = ({ usdPerHour, gpus: count }: Limits): string =>
  [...(usdPerHour === undefined ? [] : [`${dollars(usdPerHour)}/h`]), ...(count === undefined ? [] : [gpus(count)])].join(" and ");

/** "$4.10/h and 1 GPU": what the cheapest node that holds the job would reserve. */
export const needInWords = ({ usdPerHour, gpus: count }: Reservation): string => `${cost(usdPerHour)}/h and ${gpus(count)}`;

/** The cheapest instance type that EC2 has for the job now, and what it would reserve. */
export type Least = { readonly instanceType: string; readonly needed: Reservation };
type Waiting = { readonly team: string; readonly least: Least; readonly allowance: Allowance };

/**
 * Returns why a job waits for a limit although it could run later: what it needs, and how much of the limit is reserved. Names the nearest
 * limit that is in the way, and only the parts of it (dollars, GPUs) that are.
 */
export function whyLimited({ team, least, allowance }: Waiting, { pool, wider }: Pick<Snapshot, "pool" | "wider">): string {
  const { needed, instanceType } = least;
  const left = (scope: LimitScope): Reservation => leftOf(allowance, scope, pool.shared ? undefined : team);
  const scope = scopes.find((each) => beyond(needed, left(each)).length > 0) ?? "pool";
  if (scope === "deployment" && wider?.limits.isUnknown)
    return "the limits across pools that admins have set cannot be read, so nothing is launched until they are repaired";
  const limits = { pool: pool.limits, team: own(wider?.limits.teams, team) ?? {}, deployment: wider?.limits.deployment ?? {} }[scope];
  const { whose, until } = words[scope]({ team, pool: pool.name });
  if (beyond(needed, limits).length > 0)
    return `the cheapest that EC2 has for the job now, ${instanceType}, costs ${needInWords(needed)}, and ${whose} is limited to ${inWords(limits)}; cheaper types are not available now, and are requested again within minutes`;
  const parts = beyond(needed, left(scope));
  const needs = parts.map((part) => (part === "gpus" ? gpus(needed.gpus) : `${cost(needed.usdPerHour)}/h`)).join(" and ");
  const reserved = parts
    .map((part) => reservedInWords(part, { limit: limits[part] ?? 0, left: left(scope)[part], needed: needed[part] }))
    .join(" and ");
  return `the job needs ${needs} more, and ${whose} has ${reserved} reserved; it starts when ${until} or the limit is raised`;
}

type Part = "usdPerHour" | "gpus";
const beyond = (needed: Reservation, most: Limits): readonly Part[] =>
  (["usdPerHour", "gpus"] as const).filter((part) => needed[part] > (most[part] ?? Number.POSITIVE_INFINITY));

/**
 * Rounds to twentieths of the limit, because each new figure costs a write per waiting job, and nodes start and end while
 * thousands of jobs wait.
 */
function reservedInWords(part: Part, { limit, left, needed }: { limit: number; left: number; needed: number }): string {
  const reserved = Math.max(0, limit - left);
  const step = part === "gpus" ? Math.max(1, Math.floor(limit / 20)) : limit / 20;
  // A limit that is used up, or exceeded because it was lowered, is reported exactly.
  const rounded = reserved >= limit || step <= 0 ? reserved : Math.floor(reserved / step + 1e-9) * step;
  const isSame = reserved - rounded < 1e-6;
  // The figure must not suggest that the job would fit.
  const tooMuch = limit - needed;
  const least = isSame ? "" : rounded > tooMuch ? "at least " : "more than ";
  const shown = isSame ? reserved : Math.max(rounded, tooMuch);
  return part === "gpus" ? `${least}${shown} of its ${gpus(limit)}` : `${least}${dollars(shown)}/h of its ${dollars(limit)}/h`;
}

const words: Readonly<Record<LimitScope, (of: { team: string; pool: string }) => { whose: string; until: string }>> = {
  pool: ({ pool }) => ({ whose: `pool ${pool}`, until: "other work ends" }),
  team: ({ team }) => ({ whose: `team ${team}`, until: "other work of the team ends, in any pool," }),
  deployment: () => ({ whose: "the whole deployment", until: "other work ends, in any pool," }),
};
