import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { areas } from "../../mutate/areas.ts";
import { equivalents } from "../../mutate/equivalents.ts";
import { isThe, mutantOf } from "../../mutate/mutant.ts";
import { mutationsOf } from "../../mutate/operators.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const folders = Object.values(areas).flat();

test.each(equivalents.map((each) => [each.path, each.becomes, each] as const))(
  "the equivalent mutant of %s still exists, in an area: %s",
  (path, _becomes, equivalent) => {
    const source = readFileSync(join(root, path), "utf8");
    const mutants = mutationsOf(source).map((mutation) => mutantOf({ path, source }, mutation));
    expect(mutants.filter((mutant) => isThe(equivalent, mutant))).toHaveLength(1);
    expect(folders.some((folder) => path.startsWith(`${folder}/`))).toBe(true);
  },
);
