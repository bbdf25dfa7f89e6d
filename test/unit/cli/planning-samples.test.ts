import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nodeTypeTable } from "../../../lib/cli/planning/node-types.ts";
import { jobTables, nodeTable, offerTable } from "../../../lib/cli/planning/plan-tables.ts";
import { readTable } from "../../../lib/cli/planning/read-table.ts";

/** The folder of the example tables that ship. */
const folder = join(import.meta.dirname, "../../../events/planning");
const readers: Readonly<Record<string, (file: string) => Promise<readonly unknown[]>>> = {
  "jobs.csv": (file) => readTable(file, ...jobTables),
  "nodes.csv": (file) => readTable(file, nodeTable),
  "offers.csv": (file) => readTable(file, offerTable),
  "openb-pods.csv": (file) => readTable(file, ...jobTables),
  "node-types.csv": (file) => readTable(file, nodeTypeTable),
};

it("every example table that ships is of a known kind", () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(readers).sort());
});

it.each(Object.entries(readers))("the example table %s can be read", async (file, read) => {
  expect(await read(join(folder, file))).not.toHaveLength(0);
});
