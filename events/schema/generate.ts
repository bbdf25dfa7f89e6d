/**
 * `node events/schema/generate.ts` writes the files that are generated from the job message's schema: job.schema.json, and the field
 * table of docs/jobs.md. With `--check` it writes nothing, and fails if one of them is not current or a sample does not parse.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { JobMessage } from "../job.ts";
import { jobFieldTable } from "./job-fields.ts";
import { samples } from "./samples.ts";

const root = join(import.meta.dirname, "..", "..");
const samplesFolder = join(root, "events", "samples");

const schema = {
  title: "Fleetwright job",
  description: "A message for a team's job queue",
  ...z.toJSONSchema(JobMessage, { io: "input", unrepresentable: "any" }),
};

/** The text that each generated file should have. */
const generated: ReadonlyMap<string, string> = new Map([
  ["events/job.schema.json", `${JSON.stringify(schema, null, 2)}\n`],
  ["docs/jobs.md", withTable(readFileSync(join(root, "docs", "jobs.md"), "utf8"), jobFieldTable())],
]);

if (process.argv.includes("--check")) check();
else for (const [file, text] of generated) writeFileSync(join(root, file), text);

/** Returns the page with this table between its two marks. */
function withTable(page: string, table: string): string {
  const marked = /(<!-- generated: npm run generate -->\n).*(<!-- end of what is generated -->)/s;
  if (!marked.test(page)) throw new Error("docs/jobs.md lacks the two marks between which its table is generated");
  return page.replace(marked, (_all, begin: string, end: string) => `${begin}\n${table}\n${end}`);
}

function check(): void {
  const stale = [...generated].filter(([file, text]) => readFileSync(join(root, file), "utf8") !== text);
  const wrong = [...wrongSamples(), ...stale.map(([file]) => `${file} is not current: npm run generate`)];
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${Object.keys(samples).length} samples parse; ${[...generated.keys()].join(" and ")} are current`);
}

function wrongSamples(): string[] {
  const files = readdirSync(samplesFolder).map((file) => file.replace(/\.json$/, ""));
  const unknown = files.filter((name) => !(name in samples)).map((name) => `samples/${name}.json: no schema is named for it in samples.ts`);
  const missing = Object.keys(samples)
    .filter((name) => !files.includes(name))
    .map((name) => `samples/${name}.json is missing`);
  const refused = Object.entries(samples).flatMap(([name, schemaOf]) => {
    if (!files.includes(name)) return [];
    const parsed = schemaOf.safeParse(JSON.parse(readFileSync(join(samplesFolder, `${name}.json`), "utf8")));
    return parsed.success ? [] : [`samples/${name}.json: ${z.prettifyError(parsed.error)}`];
  });
  return [...unknown, ...missing, ...refused];
}
