import type { Me } from "../../api/views/me.ts";
import type { Deployment } from "../../model/deployment.ts";
import { UsageError } from "../invocation/exit.ts";

type Knowing = { readonly deployment: Pick<Deployment, "teams">; readonly api: { me(): Promise<Pick<Me, "team" | "teams">> } };

/** The team that a command speaks for: the one named, else the only one there is, else the caller's own. */
export async function teamOf(named: string | undefined, { deployment, api }: Knowing): Promise<string> {
  if (named !== undefined) return known(named, deployment.teams);
  const [only, ...more] = deployment.teams;
  if (only !== undefined && more.length === 0) return only;
  const { team, teams } = await api.me();
  if (team !== null) return team;
  throw new UsageError(`say for which team: --team ${teams.join(" | --team ")} (or set FLEETWRIGHT_TEAM)`);
}

function known(team: string, teams: readonly string[]): string {
  if (teams.includes(team)) return team;
  throw new UsageError(`there is no team ${team}; there are: ${teams.join(", ")}`);
}

/** The pool that was named, if it is one. */
export function poolNamed(name: string, { pools }: Pick<Deployment, "pools">): string {
  if (pools.includes(name)) return name;
  throw new UsageError(`there is no pool ${name}; there are: ${pools.join(", ")}`);
}
