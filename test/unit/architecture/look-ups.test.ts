import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");
const files = globSync("{cdk,functions,lib}/**/*.ts", { cwd: root }).sort();

/** Returns look-ups such as `limits.teams[team]` and `pools?.[launch.pool]`, but not keys such as `{ [team]: … }`. */
const lookUps = (source: string): readonly string[] =>
  source.match(/[\w)\]](?:\?\.|!)?\[(?:\w+\??\.)*(?:team|pool|dataset|job|node)(?: \?\? "")?\]/g) ?? [];

test("no record is looked up with brackets by a name that people choose, because a team may be called constructor", () => {
  const found = files.flatMap((file) => lookUps(readFileSync(join(root, file), "utf8")).map((text) => `${file}: ${text}; call own`));
  expect(found).toEqual([]);
});

test.each([
  ["limits.teams[team]", 1],
  ["spent.teams?.[entry.team]", 1],
  ['teams[team ?? ""]', 1],
  ["templates[launch.pool]", 1],
  ["{ ...teams, [team]: 1 }", 0],
  ["[[team, 1]]", 0],
  ["own(limits.teams, team)", 0],
])("of %s, the search for such look-ups finds %i", (source, count) => {
  expect(lookUps(source)).toHaveLength(count);
});
