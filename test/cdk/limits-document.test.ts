import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Configuration, type ConfigurationFile } from "../../cdk/configuration/configuration.ts";
import { archiveLimits } from "../../lib/model/files/archive-entry.ts";
import { artifactLimits } from "../../lib/worker/artifacts/artifact-limits.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const slashes = (path: string): string => path.replaceAll("\\", "/");

/** A row of the table of limits in docs/limits.md. Settings and defaults are in the same order. */
type Row = {
  readonly limit: string;
  readonly defaults: readonly string[];
  readonly settings: readonly string[];
  readonly tests: readonly Test[];
};
type Test = { readonly file: string; readonly name: string };

const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** Returns the rows of every table of a document that has a test in its last column. */
function rowsOf(text: string): Row[] {
  return text
    .split("\n")
    .filter((line) => /^\| .*`test\//.test(line))
    .map((line) => {
      const [limit = "", defaults = "", settings = "", tests = ""] = cellsOf(line);
      return {
        limit,
        defaults: defaults.split(" / "),
        settings: [...settings.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
        tests: [...tests.matchAll(/`(test\/[^`]+)`: (.+?)(?=; `test\/|$)/g)].map(([, file = "", name = ""]) => ({ file, name })),
      };
    });
}

const rows = rowsOf(read("docs/limits.md"));
const listed = new Map(rows.flatMap(({ settings, defaults }) => settings.map((name, index) => [name, defaults[index] ?? ""] as const)));

/** Fields of the configuration that are numbers and bound nothing that a team may use: times, sizes and thresholds that an admin chooses. */
const notLimits = [
  "pools[].idleSeconds",
  "pools[].minNodes",
  "pools[].bootSeconds",
  "pools[].drainSeconds",
  "pools[].consolidateSeconds",
  "pools[].disruption.nodes",
  "pools[].disruption.share",
  "pools[].fallbackSeconds",
  "pools[].mostLosses",
  "pools[].volumeGiB",
  "reservedConcurrency.accountLimit",
  "zones",
];

const Schema = z.looseObject({
  type: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  additionalProperties: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
});

/** Returns the paths of all numbers in a schema: `pools[].idleSeconds`, `teamLimits.*.gpus`. */
function numbersIn(schema: unknown, path = ""): string[] {
  const parsed = Schema.safeParse(schema);
  if (!parsed.success) return [];
  const { type, enum: values, properties = {}, items, additionalProperties, anyOf = [], oneOf = [], allOf = [] } = parsed.data;
  if (type === "number" || type === "integer" || values?.every((value) => typeof value === "number")) return [path];
  return [
    ...Object.entries(properties).flatMap(([name, value]) => numbersIn(value, path === "" ? name : `${path}.${name}`)),
    ...numbersIn(items, `${path}[]`),
    ...numbersIn(additionalProperties, `${path}.*`),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((each) => numbersIn(each, path)),
  ];
}

const settings = numbersIn(z.toJSONSchema(Configuration, { io: "input", unrepresentable: "any" })).filter(
  (path) => !/^(alarms|objectives)\./.test(path),
);

/** A configuration that sets only what it must. */
const least: ConfigurationFile = {
  teams: ["research"],
  pools: [{ name: "gpu", families: ["g5"], markets: ["spot"], limits: { usdPerHour: 1, gpus: 1 } }],
  defaultPool: "gpu",
};

const at = (value: unknown, path: string): unknown =>
  path
    .split(/\.|(?=\[\])/)
    .reduce<unknown>(
      (part, name) =>
        z.record(z.string(), z.unknown()).safeParse(part).data?.[name === "[]" ? "0" : name] ?? (Array.isArray(part) ? part[0] : undefined),
      value,
    );

/** Returns what the table must say about a setting: its default, "required" or "none". */
function defaultOf(path: string): string {
  if (at(least, path) !== undefined) return "required";
  const value = at(Configuration.parse(least), path);
  return typeof value === "number" ? inWords(value) : "none";
}

const inWords = (value: number): string => value.toLocaleString("en-US");

/** Folders whose constants named `max…` may bound what a team can do. The command, the local cloud, chaos and the optimizer run elsewhere or bound only themselves. */
const folders = "{cdk,events,functions,lib/{api,aws,decide,flows,model,ports,runtime,worker}}/**/*.ts";

/** Constants named `max…` that no team can meet: sizes of pages and batches, repeats, and bounds of what is stored or said. */
const internal: readonly string[] = [
  "maxAheadMs in lib/model/requests/request-bucket.ts",
  "maxAtOnce in lib/ports/fleet.ts",
  "maxAttempt in lib/model/job.ts",
  "maxBackMs in lib/worker/logs/log-batches.ts",
  "maxBundles in lib/decide/placement/placement-state.ts",
  "maxBytes in lib/api/operations/nodes.ts",
  "maxBytes in lib/aws/artifacts/sealed-manifest.ts",
  "maxBytes in lib/aws/logs/log-pages.ts",
  "maxBytes in lib/aws/logs/log-segments.ts",
  "maxBytes in lib/aws/queues/job-queue.ts",
  "maxBytes in lib/aws/table/pools/catalogue-store.ts",
  "maxBytes in lib/worker/instance/metadata.ts",
  "maxBytes in lib/worker/program/command.ts",
  "maxCalls in lib/aws/logs/log-pages.ts",
  "maxCauses in lib/model/cause.ts",
  "maxChoices in lib/model/files/glob.ts",
  "maxChoices in lib/worker/artifacts/requests.ts",
  "maxDecimals in lib/worker/run/container-command.ts",
  "maxDeletes in lib/aws/datasets/dataset-files.ts",
  "maxDeletes in lib/aws/datasets/shard-store.ts",
  "maxEnds in lib/decide/health/orphans.ts",
  "maxErrors in lib/api/http/operation.ts",
  "maxExtensionBytes in lib/worker/code/tar-reader.ts",
  "maxFails in lib/decide/scaling/closing.ts",
  "maxFilterValues in lib/aws/market/batches.ts",
  "maxGapMs in lib/decide/launches/open-launch.ts",
  "maxHolds in lib/decide/placement/first-fit.ts",
  "maxJobs in lib/decide/placement/coalesce.ts",
  "maxKeyBytes in lib/aws/artifacts/artifacts.ts",
  "maxKeyLetters in lib/aws/datasets/shard-sorter.ts",
  "maxKeys in lib/aws/table/access.ts",
  "maxKnown in lib/aws/table/packed.ts",
  "maxNoted in lib/aws/table/jobs/days.ts",
  "maxStuck in lib/aws/table/pools/unread-jobs.ts",
  "maxLaunches in lib/decide/placement/first-fit.ts",
  "maxLeftOut in events/artifacts/upload.ts",
  "maxLines in cdk/watching/widgets.ts",
  "maxLines in lib/api/operations/logs.ts",
  "maxListBytes in events/dataset.ts",
  "maxListings in lib/aws/decisions/newest-keys.ts",
  "maxManifestBytes in lib/aws/artifacts/artifacts.ts",
  "maxMissing in events/artifacts/manifest.ts",
  "maxMissing in lib/model/artifact.ts",
  "maxMoves in lib/decide/placement/first-fit.ts",
  "maxRebinds in lib/decide/placement/start-sooner.ts",
  "maxMs in lib/worker/runtime/backoff.ts",
  "maxNameBytes in lib/model/files/archive-entry.ts",
  "maxNamed in functions/tick.ts",
  "maxNamed in lib/decide/capacity/why-dry.ts",
  "maxNamed in lib/decide/health/breaker.ts",
  "maxNamed in lib/flows/change-stack.ts",
  "maxNames in lib/aws/market/batches.ts",
  "maxNames in lib/flows/seal-attempt.ts",
  "maxNodes in lib/decide/placement/coalesce.ts",
  "maxOfBatch in lib/aws/queues/job-queue.ts",
  "maxOfClass in lib/model/queue/scan.ts",
  "maxOffers in lib/decide/placement/bundles.ts",
  "maxOverrides in lib/aws/ec2/fleet-request.ts",
  "maxPages in lib/aws/pages.ts",
  "maxReads in lib/aws/table/jobs/job-reader.ts",
  "maxParents in lib/model/files/archive-entry.ts",
  "maxParts in lib/aws/objects/object-upload.ts",
  "maxParts in lib/aws/table/transaction.ts",
  "maxPathBytes in lib/model/files/archive-entry.ts",
  "maxPendingBytes in lib/worker/logs/spooled-segment.ts",
  "maxPlaces in lib/decide/placement/bundles.ts",
  "maxReads in lib/aws/table/as-read.ts",
  "maxReads in lib/model/queue/scan.ts",
  "maxReads in lib/flows/rebalance-shards.ts",
  "maxRecorded in lib/decide/health/orphans.ts",
  "maxRemembered in lib/aws/access/remembered-access.ts",
  "maxRemembered in lib/worker/attempt/held-attempts.ts",
  "maxReported in lib/worker/data/datasets.ts",
  "maxReports in lib/worker/attempt/agent.ts",
  "maxRounds in lib/flows/place.ts",
  "maxSearches in lib/decide/placement/misses.ts",
  "maxSequence in lib/model/heartbeat/heartbeat.ts",
  "maxSession in lib/model/heartbeat/heartbeat.ts",
  "maxSkippedNamed in lib/model/dataset.ts",
  "maxSpanMs in lib/worker/logs/log-batches.ts",
  "maxSteps in lib/api/views/decisions.ts",
  "maxSteps in lib/decide/placement/first-fit.ts",
  "maxTries in lib/aws/queues/job-queue.ts",
  "maxTries in lib/aws/table/access.ts",
  "maxTries in lib/aws/table/datasets/dataset-count.ts",
  "maxTries in lib/aws/table/pools/capacity-memory.ts",
  "maxTries in lib/aws/table/pools/request-budget.ts",
  "maxTries in lib/decide/placement/placement-state.ts",
  "maxTries in lib/flows/node/attempt-reports.ts",
  "maxUnpackedBytes in lib/aws/decisions/decision-reader.ts",
  "maxUnpackedBytes in lib/aws/table/pools/catalogue-store.ts",
];

type Constant = { readonly name: string; readonly path: string; readonly value: string };

/** Returns the constants named `max…` at the top level of a file. */
const constantsOf = (path: string, text: string): Constant[] =>
  [...text.matchAll(/^(?:export )?const (max[A-Z]\w*)(?:: \w+)? = (.+);/gm)].map(([, name = "", value = ""]) => ({ name, path, value }));

const constants = globSync(folders, { cwd: root }).flatMap((path) => constantsOf(slashes(path), read(path)));
const placeOf = ({ name, path }: Constant): string => `${name} in ${path}`;

/** Returns the value of a product or power of whole numbers, such as `32 * 1024 ** 2`. */
const productOf = (text: string): number =>
  text.split(/ \* (?!\*)/).reduce((product, factor) => {
    const [base, exponent = "1"] = factor.split(" ** ").map((number) => number.replaceAll("_", ""));
    return product * Number(base) ** Number(exponent);
  }, 1);

/** Records of limits, which the worker and the command are built with. */
const records: Readonly<Record<string, Readonly<Record<string, number>>>> = { artifactLimits, archiveLimits };

describe("the table of limits in docs/limits.md", () => {
  test("every number of the configuration is listed with its default, or is known to limit nothing", () => {
    const expected = Object.fromEntries(settings.filter((path) => !notLimits.includes(path)).map((path) => [path, defaultOf(path)]));
    expect(Object.keys(expected).length).toBeGreaterThan(30);
    expect(Object.fromEntries(Object.keys(expected).map((path) => [path, listed.get(path)?.split(" ")[0]]))).toEqual(expected);
  });

  test("every constant named max… is listed with its value, or is known to be met by no team", () => {
    expect(constants.length).toBeGreaterThan(80);
    const limits = constants.filter((each) => !internal.includes(placeOf(each)));
    expect(limits.length).toBeGreaterThan(10);
    const expected = Object.fromEntries(limits.map(({ name, value }) => [name, inWords(productOf(value))]));
    expect(Object.fromEntries(limits.map(({ name }) => [name, listed.get(name)?.split(" ")[0]]))).toEqual(expected);
  });

  test("every entry of a record of limits is listed with its value", () => {
    const all = Object.entries(records).flatMap(([name, record]) =>
      Object.entries(record).map(([field, value]) => [`${name}.${field}`, inWords(value)]),
    );
    const expected = Object.fromEntries(all);
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, listed.get(name)?.split(" ")[0]]))).toEqual(expected);
  });

  test("the table and the lists of exceptions name nothing that no longer exists", () => {
    const places = constants.map(placeOf);
    const known = [
      ...settings,
      ...constants.map(({ name }) => name),
      ...Object.entries(records).flatMap(([name, record]) => Object.keys(record).map((field) => `${name}.${field}`)),
    ];
    expect([...listed.keys()].filter((name) => !known.includes(name) && !existsSync(join(root, name)))).toEqual([]);
    expect(internal.filter((place) => !places.includes(place))).toEqual([]);
    expect(notLimits.filter((path) => !settings.includes(path))).toEqual([]);
  });

  test.each(rows.map((row) => [row.limit, row] as const))("the limit “%s” is proved by tests that exist", (_limit, { tests }) => {
    expect(tests).not.toEqual([]);
    for (const { file, name } of tests) {
      expect(existsSync(join(root, file)), file).toBe(true);
      expect(read(file).includes(`"${name}"`), `${file} has no test "${name}"`).toBe(true);
    }
  });

  test("a missing limit, a wrong default and a test that does not exist are noticed", () => {
    const [row] = rowsOf(
      "| jobs per team | 7 of them / none | `jobs.perTeam`, `jobs.more` | `test/a.test.ts`: a job is refused; it is named; `test/b.test.ts`: it waits |",
    );
    expect(row).toEqual({
      limit: "jobs per team",
      defaults: ["7 of them", "none"],
      settings: ["jobs.perTeam", "jobs.more"],
      tests: [
        { file: "test/a.test.ts", name: "a job is refused; it is named" },
        { file: "test/b.test.ts", name: "it waits" },
      ],
    });
    const [first, second] = constantsOf(
      "lib/a.ts",
      "const maxBytes = 32 * 1024 ** 2;\nexport const maxJobs: number = 1_500;\nconst many = 3;\n",
    );
    expect(first && [placeOf(first), productOf(first.value)]).toEqual(["maxBytes in lib/a.ts", 33_554_432]);
    expect(second && [placeOf(second), productOf(second.value)]).toEqual(["maxJobs in lib/a.ts", 1_500]);
  });
});
