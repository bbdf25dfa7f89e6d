/**
 * `node events/schema/generate.ts` writes job.schema.json from the job message's schema.
 * With `--check` it writes nothing and fails if the file is not current or a sample does not parse.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { JobMessage } from "../job.ts";
import { samples } from "./samples.ts";

const schemaFile = join(import.meta.dirname, "..", "job.schema.json");
const samplesFolder = join(import.meta.dirname, "..", "samples");

const schema = {
  title: "Fleetwright job",
  description: "A message for a team's job queue",
  ...z.toJSONSchema(JobMessage, { io: "input", unrepresentable: "any" }),
};
const text = `${JSON.stringify(schema, null, 2)}\n`;

if (process.argv.includes("--check")) check();
else writeFileSync(schemaFile, text);

function check(): void {
  const wrong = [
    ...wrongSamples(),
    ...(readFileSync(schemaFile, "utf8") === text ? [] : ["job.schema.json is not current: npm run generate"]),
  ];
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${Object.keys(samples).length} samples parse; job.schema.json is current`);
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
