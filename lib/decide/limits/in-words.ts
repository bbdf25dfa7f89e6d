import type { Limits } from "../../model/limits.ts";
import type { Snapshot } from "../../model/plan.ts";

/** "$40/h and 16 GPUs", or the one of them that is limited. */
export const inWords = ({ usdPerHour, gpus }: Limits): string =>
  [usdPerHour === undefined ? [] : `$${usdPerHour}/h`, gpus === undefined ? [] : gpus === 1 ? "1 GPU" : `${gpus} GPUs`]
    .flat()
    .join(" and ");

/** Why a job waits though its pool has room. */
export const whyTeamWaits = (team: string, { wider }: Pick<Snapshot, "wider">): string =>
  `team ${team} is at its limit of ${inWords(wider?.limits.teams[team] ?? {})} over all pools; the job starts when other work of the team ends or the limit is raised`;
export const whyAllWait = ({ wider }: Pick<Snapshot, "wider">): string =>
  `the whole deployment is at its limit of ${inWords(wider?.limits.deployment ?? {})}; the job starts when other work ends, in whatever pool, or the limit is raised`;
