import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { checked, linesOf } from "../../events/checked.ts";
import { PoolName, TeamName } from "../../events/job.ts";
import { withoutBom } from "../../events/json.ts";
import { inWords } from "../../lib/model/errors/in-words.ts";
import { Fault } from "../../lib/model/fault.ts";
import { fileWords } from "../../lib/model/files/file-words.ts";
import { Ec2Requests } from "../../lib/runtime/ec2-requests.ts";
import { FleetFile } from "../../lib/runtime/fleet-file.ts";
import { AlarmThresholds } from "./alarm-thresholds.ts";
import { fallbackProblems } from "./fallback-problems.ts";

const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] as const;
const arn = /^arn:aws[a-z-]*:/;
const budget = z.number().min(0, "must not be negative").optional();

/** More is a slip of the keyboard, or a limit in name only. */
const most = 1_000_000;
const usdPerHour = z.number().min(0, "must not be negative").max(most, "must not be more than a million dollars an hour");
const gpus = z.int().min(0, "must not be negative").max(most, "must not be more than a million");

/** Either may be left out, not both. */
const WiderLimits = z
  .strictObject({ usdPerHour: usdPerHour.optional(), gpus: gpus.optional() })
  .refine((limits) => limits.usdPerHour !== undefined || limits.gpus !== undefined, 'limit "usdPerHour", "gpus" or both');

/** One fleet and its policy. What handlers need of it travels in `fleet.json`; the rest shapes the stack. */
const Pool = z.strictObject({
  ...FleetFile.shape.pools.element.shape,
  families: z
    .array(z.string().regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)?$/, 'must look like "g5", or "g5.xlarge"'))
    .min(1, "name at least one instance family"),
  limits: z.strictObject({ usdPerHour, gpus }),
  budgets: z
    .strictObject({
      usdPerDay: budget.describe("Dollars that nodes may cost in a UTC day"),
      usdPerMonth: budget.describe("Dollars that nodes may cost in a calendar month (UTC)"),
    })
    .optional()
    .describe("What stops growth: once one is used up nothing starts until the next day or month, and what runs may end. Absent: none"),
  markets: z.array(z.enum(["spot", "on-demand"])).min(1, 'name at least one of "spot" and "on-demand"'),
  shared: z.boolean().default(false).describe("Whether one node may serve several teams"),
  teams: z.array(TeamName).default([]).describe("The teams that may use it; empty for all"),
  containers: z.boolean().default(true).describe("Whether jobs may name a container image, which the worker runs with Docker"),
  fallback: PoolName.optional().describe(
    "The pool that a waiting job moves to when EC2 has refused all that it could buy here, for want of capacity or of quota; absent: it waits",
  ),
  fallbackSeconds: z
    .number()
    .min(0, "must not be negative")
    .max(604_800, "must not be longer than a week")
    .default(300)
    .describe("For how long EC2 must have refused it all before a job moves to the fallback"),
  idleSeconds: z.number().min(0).default(300).describe("How long a node may be idle before it is given back"),
  bootSeconds: z.number().min(1).default(600).describe("How long an instance may take until its worker calls"),
  maxLifetimeSeconds: z
    .int()
    .min(600, "must be ten minutes or more: a node has to boot, work and be drained in it")
    .max(31_536_000, "must not be longer than a year")
    .optional()
    .describe(
      "No node is used for longer after its launch: it is drained in time, and what still runs at the end is stopped and waits again",
    ),
  drainSeconds: z
    .number()
    .min(0, "must not be negative")
    .max(604_800, "must not be longer than a week")
    .default(600)
    .describe("How long what runs on a node may go on once it is drained; nothing new begins there"),
  consolidateSeconds: z
    .number()
    .min(60, "must be a minute or more")
    .max(604_800, "must not be longer than a week")
    .optional()
    .describe(
      "For how long nothing may have changed on a node before it is emptied, when what runs on it fits into what others have free and so much is saved that it pays to start it anew there, once; absent: never",
    ),
  disruption: z
    .union(
      [
        z.strictObject({ nodes: z.int().min(0, "must not be negative") }),
        z.strictObject({ share: z.number().min(0, "must not be negative").max(1, "is a part of 1") }),
      ],
      "must be { nodes: 2 } or { share: 0.1 }: a whole number, or a part of 1, and not negative",
    )
    .default({ share: 0.1 })
    .describe(
      "How many nodes with work may be drained at a time by choice (not by EC2's): so many, or a share of those there are, at least one",
    ),
  mostLosses: z
    .int()
    .min(1, "must be 1 or more")
    .max(100, "must not be more than 100")
    .default(3)
    .describe("A job fails when so many nodes were lost while it ran on them (EC2's interruptions do not count): it may be what ends them"),
  volumeGiB: z
    .int()
    .min(75, "the GPU image alone needs 75 GiB")
    .max(16_384)
    .default(100)
    .describe("Root volume of each node (gp3, encrypted)"),
  architecture: z.literal("x86_64").default("x86_64"),
});

const Fields = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, "must be 1 to 20 of a-z, 0-9 and -, starting with a letter")
    .default("fleetwright")
    .describe("Prefix of everything that has a name; two deployments in one account need two"),
  teams: z.array(TeamName).min(1, "name at least one team"),
  pools: z.array(Pool).min(1, "describe at least one pool"),
  limits: WiderLimits.optional().describe("Most that all pools together may reserve at one moment; absent: no more bound than the pools'"),
  teamLimits: z
    .record(TeamName, WiderLimits)
    .optional()
    .describe("Most that a team's own nodes may come to, over all pools. Nodes of a pool that is shared are no team's"),
  defaultPool: z.string().describe("Where a job goes that names no pool"),
  dataBuckets: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket"))
    .default([])
    .describe("Buckets of yours in which datasets may lie, for every team to read; the deployment's own bucket for them needs no entry"),
  ec2Requests: Ec2Requests.describe(
    "How fast this deployment asks EC2, which throttles each account: raise it with the account's limits, lower it where others share the account",
  ),
  zones: z.int().min(1).max(6).default(3).describe("In how many availability zones nodes may run"),
  logRetentionDays: z
    .literal([...retentionDays])
    .default(30)
    .describe("For the jobs' logs and the functions'"),
  decisionRetentionDays: z.int().min(1).max(3650).default(14),
  artifactRetentionDays: z.int().min(1).max(36_500).optional().describe("Absent: sealed artifacts are kept until somebody deletes them"),
  deletionProtection: z.boolean().default(true).describe("Whether the table refuses to be deleted"),
  alarms: AlarmThresholds.prefault({}).describe("When the alarms go off that have pools decided on again"),
  alarmTopicArn: z.string().regex(arn, "must be the ARN of an SNS topic").optional().describe("Who is told when an alarm goes off"),
});

/** The admin's configuration: all that somebody decides before deploying. Unknown fields are refused. */
export const Configuration = Fields.superRefine((fleet, context) => {
  const problem = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: "custom", path, message });
  };
  const refuseTwice = (names: readonly string[], path: (string | number)[]): void => {
    for (const name of repeated(names)) problem(path, `"${name}" is there twice`);
  };
  refuseTwice(fleet.teams, ["teams"]);
  refuseTwice(fleet.dataBuckets, ["dataBuckets"]);
  refuseTwice(
    fleet.pools.map((pool) => pool.name),
    ["pools"],
  );
  for (const team of Object.keys(fleet.teamLimits ?? {}).filter((name) => !fleet.teams.includes(name)))
    problem(["teamLimits", team], `there is no team "${team}" (there is ${fleet.teams.join(", ")})`);
  fleet.pools.forEach((pool, index) => {
    refuseTwice(pool.families, ["pools", index, "families"]);
    refuseTwice(pool.markets, ["pools", index, "markets"]);
    const least = pool.bootSeconds + pool.drainSeconds;
    if (pool.maxLifetimeSeconds !== undefined && pool.maxLifetimeSeconds <= least)
      problem(
        ["pools", index, "maxLifetimeSeconds"],
        `a node of pool "${pool.name}" would have no time to work: it must be longer than bootSeconds and drainSeconds together (${least})`,
      );
    for (const team of pool.teams.filter((name) => !fleet.teams.includes(name)))
      problem(["pools", index, "teams"], `pool "${pool.name}" names the team "${team}", which is not in teams (${fleet.teams.join(", ")})`);
  });
  for (const { pool, message } of fallbackProblems(fleet.pools, fleet.teams)) problem(["pools", pool, "fallback"], message);
  for (const team of [...new Set(fleet.teams)].filter(
    (name) => !fleet.pools.some((pool) => pool.teams.length === 0 || pool.teams.includes(name)),
  ))
    problem(["pools"], `no pool takes jobs of the team "${team}"`);
  if (!fleet.pools.some((pool) => pool.name === fleet.defaultPool))
    problem(["defaultPool"], `there is no pool "${fleet.defaultPool}" (there is ${fleet.pools.map((pool) => pool.name).join(", ")})`);
});
export type Configuration = z.output<typeof Configuration>;
/** What an admin writes: whatever has a good default may be left out. */
export type ConfigurationFile = z.input<typeof Configuration>;
export type PoolConfiguration = Configuration["pools"][number];

/** Checks a configuration; throws a Fault that names every mistake and where it is. */
export function parseConfiguration(value: unknown, from: string): Configuration {
  const configuration = checked(Configuration, value);
  if (configuration.kind === "good") return configuration.value;
  throw new Fault("configuration", `The configuration in ${from} cannot be used:${linesOf(configuration.wrong)}`);
}

/** Reads the configuration from a `.ts` or `.js` module's default export, or from a `.json` file. */
export async function loadConfiguration(file: string): Promise<Configuration> {
  const path = resolve(file);
  return parseConfiguration(path.endsWith(".json") ? readJson(path) : await defaultExport(path), file);
}

/** The part of the configuration that handlers read. */
export const fleetFile = (configuration: Configuration): FleetFile => ({
  name: configuration.name,
  teams: configuration.teams,
  pools: configuration.pools.map(({ volumeGiB: _volume, architecture: _architecture, ...pool }) => pool),
  defaultPool: configuration.defaultPool,
  dataBuckets: configuration.dataBuckets,
  limits: configuration.limits,
  teamLimits: configuration.teamLimits,
  ec2Requests: configuration.ec2Requests,
});

function readJson(path: string): unknown {
  try {
    return JSON.parse(withoutBom(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Fault("configuration", `The configuration ${path} cannot be read: ${fileWords(cause) ?? inWords(cause)}`, {
      cause,
    });
  }
}

async function defaultExport(path: string): Promise<unknown> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw new Fault("configuration", `The configuration ${path} cannot be read: ${inWords(cause)}`, {
      cause,
    });
  });
  if (module.default === undefined) throw new Fault("configuration", `The configuration ${path} has no default export`);
  return module.default;
}

const repeated = (names: readonly string[]): string[] => [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
