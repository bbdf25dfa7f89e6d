import type { Configuration } from "./configuration/configuration.ts";

type Part = "usdPerHour" | "gpus";
const inWords = { usdPerHour: (n: number) => `$${n}/h`, gpus: (n: number) => `${n} GPUs` } as const;

/** Returns warnings about what a configuration allows but its author may not have intended. */
export function remarks(fleet: Configuration): string[] {
  const { limits, teamLimits = {} } = fleet;
  const beyond = (who: string, its: { readonly [P in Part]?: number | undefined }): string[] =>
    (["usdPerHour", "gpus"] as const).flatMap((part) => {
      const [own, all] = [its[part], limits?.[part]];
      if (own === undefined || all === undefined || own <= all) return [];
      return [`${who} may reserve ${inWords[part](own)}, but the whole deployment may reserve only ${inWords[part](all)}`];
    });
  const uncounted = Object.keys(teamLimits).flatMap((team) => {
    const shared = fleet.pools.filter((pool) => pool.shared && (pool.teams.length === 0 || pool.teams.includes(team)));
    if (shared.length === 0) return [];
    const pools = shared.map(({ name }) => name).join(", ");
    return [`the limit of team ${team} does not cover its jobs in ${pools}, because nodes of shared pools do not count towards any team`];
  });
  return [
    ...fleet.pools.flatMap(({ name, limits: own }) => beyond(`pool ${name}`, own)),
    ...Object.entries(teamLimits).flatMap(([team, own]) => beyond(`team ${team}`, own)),
    ...uncounted,
    ...(limits?.usdPerHour === 0 || limits?.gpus === 0
      ? ["the limits of the whole deployment allow no node that costs something or has a GPU"]
      : []),
  ];
}

/** Returns warnings about fields that have a new name, with what to write instead. */
export const oldNames = ({ pools }: Configuration): string[] =>
  pools.flatMap(({ name, mostLosses }) =>
    mostLosses === undefined
      ? []
      : [
          `pool ${name}: mostLosses is now called maxLosses; write "maxLosses: ${mostLosses}", because the next release refuses the old name`,
        ],
  );
