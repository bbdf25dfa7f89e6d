import * as z from "zod";
import { PoolName, TeamName } from "../../../events/job.ts";

export const Me = z
  .object({
    caller: z.string().describe("The ARN that signed the call"),
    admin: z.boolean(),
    team: TeamName.nullable().describe("The one team the caller speaks for; null for an admin, who speaks for all"),
    name: z.string().describe("Of the deployment"),
    teams: z.array(TeamName).describe("That the caller may speak for"),
    pools: z.array(PoolName).describe("That these may use"),
    defaultPool: PoolName,
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof Me>;
