import type { Me } from "../../api/views/me.ts";
import type { Deployment } from "../../model/deployment.ts";
import { UsageError } from "../invocation/exit.ts";

type Knowing = { readonly deployment: Pick<Deployment, "teams">; readonly api: { me(): Promise<Pick<Me, "team" | "teams">> } };

/** Returns the team that a command acts for: the named one, otherwise the only one, otherwise the caller's own. */
export async function teamOf(named: string | undefined, { deployment, api }: Knowing): Promise<string> {
  if (named !== undefined) return known(named, deployment.teams);
  const [only, ...more] = deployment.teams;
  if (only !== undefined && more.length === 0) return only;
  const { team, teams } = await api.me();
  if (team !== null) return team;
  throw new UsageError(`choose a team: --team ${teams.join(" | --team ")} (or set FLEETWRIGHT_TEAM)`);
}

function known(team: string, teams: readonly string[]): string {
  if (teams.includes(team)) return team;
  throw new UsageError(`there is no team ${team}; there are: ${teams.join(", ")}`);
}

/** Returns the name of a pool. Throws a UsageError if the pool does not exist. */
export function poolNamed(name: string, { pools }: Pick<Deployment, "pools">): string {
  if (pools.includes(name)) return name;
  throw new UsageError(`there is no pool ${name}; there are: ${pools.join(", ")}`);
}
