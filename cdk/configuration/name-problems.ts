import { teamRole } from "../../lib/model/deployment.ts";

type Named = {
  readonly name: string;
  readonly teams: readonly string[];
  readonly pools: readonly { readonly name: string; readonly families: readonly string[]; readonly markets: readonly string[] }[];
  readonly dataBuckets: readonly string[];
};

type Path = (string | number)[];
type NameProblem = { readonly path: Path; readonly message: string };

/** IAM allows 64 characters for the name of a role, and the longest name of a region has 14. */
const longestNames = 64 - teamRole({ name: "", region: "ap-northeast-1" }, "").length;

/** Returns what is wrong with names: those that are listed twice, and those that are too long for the names of resources. */
export function nameProblems({ name, teams, pools, dataBuckets }: Named): readonly NameProblem[] {
  const long = teams.flatMap((team, index): NameProblem[] =>
    name.length + team.length <= longestNames
      ? []
      : [
          {
            path: ["teams", index],
            message: `with the deployment's name "${name}", "${team}" is too long: ${longestNames} characters together at most`,
          },
        ],
  );
  const lists: readonly (readonly [names: readonly string[], path: Path])[] = [
    [teams, ["teams"]],
    [dataBuckets, ["dataBuckets"]],
    [pools.map((pool) => pool.name), ["pools"]],
    ...pools.map(({ families }, index): [readonly string[], Path] => [families, ["pools", index, "families"]]),
    ...pools.map(({ markets }, index): [readonly string[], Path] => [markets, ["pools", index, "markets"]]),
  ];
  const twice = lists.flatMap(([names, path]) => repeated(names).map((each) => ({ path, message: `"${each}" is listed twice` })));
  return [...long, ...twice];
}

const repeated = (names: readonly string[]): string[] => [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
