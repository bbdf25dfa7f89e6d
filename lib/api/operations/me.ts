import { noBody, operation } from "../http/operation.ts";
import { success } from "../http/response.ts";
import { Me } from "../views/me.ts";
import { noParams, noQuery } from "./path.ts";

export const whoAmI = operation({
  id: "whoAmI",
  method: "get",
  path: "/me",
  summary: "Returns the caller and the teams that it may act for",
  params: noParams,
  query: noQuery,
  body: noBody,
  responses: { schema: Me, statuses: { 200: "The caller" } },
  problems: [],
  async handle({ fleet }, { speaker, caller }) {
    const team = speaker.kind === "team" ? speaker.team : null;
    return success({
      caller: caller.arn,
      admin: speaker.kind === "admin",
      team,
      name: fleet.name,
      teams: team === null ? [...fleet.teams] : [team],
      pools: fleet.pools.filter(({ teams }) => team === null || teams.length === 0 || teams.includes(team)).map(({ name }) => name),
      defaultPool: fleet.defaultPool,
    });
  },
});
