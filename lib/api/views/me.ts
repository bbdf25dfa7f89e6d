import * as z from "zod";
import { PoolName, TeamName } from "../../../events/names.ts";

export const Me = z
  .object({
    caller: z.string().describe("The ARN that signed the call"),
    admin: z.boolean(),
    team: TeamName.nullable().describe("The only team that the caller may act for; null for an admin, who may act for all"),
    name: z.string().describe("The deployment's name"),
    teams: z.array(TeamName).describe("The teams that the caller may act for"),
    pools: z.array(PoolName).describe("The pools that these teams may use"),
    defaultPool: PoolName,
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof Me>;
