import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { checked, linesOf } from "../../events/checked.ts";
import { PoolName, TeamName } from "../../events/names.ts";
import { outboxFolder } from "../../events/outbox/outbox.ts";
import { inWords } from "../../lib/model/errors/in-words.ts";
import { decoded } from "../../lib/model/files/decoded.ts";
import { fileWords } from "../../lib/model/files/file-words.ts";
import { FleetError } from "../../lib/model/fleet-error.ts";
import { maxMinNodes, whyNoMinimum } from "../../lib/model/pool.ts";
import { maxRunSeconds } from "../../lib/model/values/attempt-times.ts";
import { DatasetLimits } from "../../lib/runtime/dataset-limits.ts";
import { Ec2Requests } from "../../lib/runtime/ec2-requests.ts";
import { type FleetFile, FleetPool } from "../../lib/runtime/fleet-file.ts";
import { LiveLogs } from "../../lib/runtime/live-logs.ts";
import { AlarmThresholds } from "./alarm-thresholds.ts";
import { Budgets, budgetProblems } from "./budget-problems.ts";
import { QueueConcurrency, ReservedConcurrency } from "./concurrency.ts";
import { fallbackProblems } from "./fallback-problems.ts";
import { nameProblems } from "./name-problems.ts";
import { Zones } from "./zones.ts";

/** The times for which CloudWatch Logs can keep a log, up to ten years. */
const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;

/** The largest limit accepted, because a larger one is a typing error or limits nothing. */
const most = 1_000_000;
const usdPerHour = z.number().min(0, "must not be negative").max(most, "must not be more than a million dollars an hour");
const gpus = z.int().min(0, "must not be negative").max(most, "must not be more than a million");

/** Limits across pools. One of the two may be omitted, but not both. */
const WiderLimits = z
  .strictObject({ usdPerHour: usdPerHour.optional(), gpus: gpus.optional() })
  .refine((limits) => limits.usdPerHour !== undefined || limits.gpus !== undefined, 'limit "usdPerHour", "gpus" or both');

const losses = z.int().min(1, "must be 1 or more").max(100, "must not be more than 100");

/** One pool and its policy. The fields that handlers need are deployed in `fleet.json`; the others shape the stack. */
const PoolFields = z.strictObject({
  ...FleetPool.shape,
  families: z
    .array(z.string().regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)?$/, 'must look like "g5", or "g5.xlarge"'))
    .min(1, "name at least one instance family"),
  limits: z.strictObject({ usdPerHour, gpus }),
  budgets: Budgets.optional().describe("What all nodes of the pool together may cost. No budget if omitted"),
  teamBudgets: z
    .record(TeamName, Budgets)
    .optional()
    .describe("What each team's own nodes in this pool may cost. Nodes of shared pools belong to no team, so shared pools have none"),
  markets: z.array(z.enum(["spot", "on-demand"])).min(1, 'name at least one of "spot" and "on-demand"'),
  shared: z.boolean().default(false).describe("Whether one node may serve several teams"),
  teams: z.array(TeamName).default([]).describe("The teams that may use the pool; empty means all teams"),
  containers: z.boolean().default(true).describe("Whether jobs may name a container image, which the worker runs with Docker"),
  fallback: PoolName.optional().describe(
    "The pool to which a waiting job moves if EC2 refused, for lack of capacity or quota, everything it could run on here. If omitted, it waits",
  ),
  fallbackSeconds: z
    .number()
    .min(0, "must not be negative")
    .max(604_800, "must not be longer than a week")
    .default(300)
    .describe("How long EC2 must have refused everything before a job moves to the fallback pool"),
  idleSeconds: z.number().min(0).default(300).describe("How long a node may be idle before it is terminated"),
  minNodes: z
    .int()
    .min(0, "must not be negative")
    .max(maxMinNodes, "must not be more than 1,000")
    .optional()
    .describe(
      "How many nodes the pool keeps, with work or without, so that jobs start without a boot. They cost money all the time. Only in shared pools. None if omitted",
    ),
  bootSeconds: z.number().min(1).default(600).describe("How long an instance may take from its launch to its worker's first call"),
  silentSeconds: z
    .number()
    .min(300)
    .max(86_400)
    .default(1_800)
    .describe("How long a worker may be silent, while others are heard, before its instance is ended"),
  islandHours: z.number().min(0.25).max(720).default(24).describe("How long a node goes on with its work while no call gets a response"),
  islandUsd: z.number().min(0).optional().describe("The most that such a node may cost before it ends itself"),
  maxLifetimeSeconds: z
    .int()
    .min(600, "must be ten minutes or more: a node must boot, work and be drained within it")
    .max(31_536_000, "must not be longer than a year")
    .optional()
    .describe(
      "The longest time that a node is used after its launch. It is drained in time; jobs that still run at the end are stopped and queued again",
    ),
  drainSeconds: z
    .number()
    .min(0, "must not be negative")
    .max(604_800, "must not be longer than a week")
    .default(600)
    .describe("How long jobs may still run on a node after its drain began; no new job starts there"),
  consolidateSeconds: z
    .number()
    .min(60, "must be a minute or more")
    .max(604_800, "must not be longer than a week")
    .optional()
    .describe(
      "How long a node must be unchanged before its jobs may be moved to free capacity of other nodes. Jobs start again there, each is moved only once, and only if that saves enough. Never if omitted",
    ),
  disruption: z
    .union(
      [
        z.strictObject({ nodes: z.int().min(0, "must not be negative") }),
        z.strictObject({ share: z.number().min(0, "must not be negative").max(1, "must not be more than 1") }),
      ],
      "must be { nodes: 2 } or { share: 0.1 }: a whole number of nodes, or a share from 0 to 1",
    )
    .default({ share: 0.1 })
    .describe(
      "How many nodes with work may be drained at a time (voluntary disruptions only): a number, or a share of the pool's nodes, at least one",
    ),
  maxLosses: losses
    .optional()
    .describe(
      "A job fails after this many nodes were lost while it ran on them, because it may be the cause. EC2's interruptions do not count. 3 if omitted",
    ),
  maxQueuedJobs: z
    .int()
    .min(1, "must be 1 or more")
    .max(1_000_000, "must not be more than a million")
    .default(50_000)
    .describe("How many jobs of one team may wait in the pool. Further jobs are rejected with a reason until some have begun"),
  maxRuntimeSeconds: z
    .int()
    .min(60, "must be a minute or more")
    .max(maxRunSeconds, "must not be longer than two weeks")
    .default(maxRunSeconds)
    .describe(
      "The longest time for which a job's program may run. A job that asks for more is rejected; one that asks for nothing gets at most this",
    ),
  mostLosses: losses.optional().describe("The old name of maxLosses, which this release still accepts with a warning"),
  volumeGiB: z
    .int()
    .min(75, "the GPU image alone needs 75 GiB")
    .max(16_384)
    .default(100)
    .describe("Root volume of each node (gp3, encrypted)"),
  architecture: z.literal("x86_64").default("x86_64"),
});

/** `mostLosses` stays in the result, so that a remark can ask for its new name. */
const Pool = PoolFields.transform((pool, context) => {
  if (pool.maxLosses !== undefined && pool.mostLosses !== undefined)
    context.addIssue({
      code: "custom",
      path: ["mostLosses"],
      message: "is the old name of maxLosses, which is also set; write only maxLosses",
    });
  return { ...pool, maxLosses: pool.maxLosses ?? pool.mostLosses ?? 3 };
});

const Fields = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, "must be 1 to 20 of a-z, 0-9 and -, starting with a letter")
    .default("fleetwright")
    .describe("Prefix of the names of all resources; two deployments in one account need different names"),
  teams: z.array(TeamName.refine((name) => name !== outboxFolder, "is reserved for nodes' outboxes")).min(1, "name at least one team"),
  pools: z.array(Pool).min(1, "describe at least one pool"),
  limits: WiderLimits.optional().describe(
    "The most that all pools together may reserve at a time. If omitted, only the pools' own limits apply",
  ),
  teamLimits: z
    .record(TeamName, WiderLimits)
    .optional()
    .describe("The most that a team's own nodes may reserve in all pools together. Nodes of shared pools do not count towards any team"),
  defaultPool: z.string().describe("The pool for jobs that name none"),
  dataBuckets: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket"))
    .default([])
    .describe("Your own buckets that may hold datasets, which every team may read. The deployment's own datasets bucket needs no entry"),
  ec2Requests: Ec2Requests.describe(
    "How fast this deployment calls EC2, which throttles per account. Raise it with the account's limits; lower it if others share the account",
  ),
  liveLogs: LiveLogs.describe(
    "What each attempt may send to CloudWatch Logs, which charges per byte. The complete log is kept in any case; see fleet logs --whole",
  ),
  datasets: DatasetLimits.describe(
    "How many datasets a team may have, and how often their sources are listed, which takes time and S3 requests",
  ),
  queueConcurrency: QueueConcurrency.describe(
    "How many batches of the queues that teams can fill are handled at a time, so that a team cannot use up the account's Lambda concurrency",
  ),
  reservedConcurrency: ReservedConcurrency.optional().describe(
    "Lambda concurrency that is set aside for functions that keep the fleet alive, and a cap for the API. None if omitted",
  ),
  volumeKeyArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-zA-Z0-9-]+$/, "must be the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID")
    .optional()
    .describe(
      "The KMS key that encrypts nodes' volumes. Name it if the account's default key for EBS is not the one of AWS; otherwise no node can be launched",
    ),
  zones: Zones.default(3).describe(
    "In how many availability zones nodes may run, or in which. A change replaces subnets, which works only while no node runs",
  ),
  logRetentionDays: z
    .literal([...retentionDays])
    .default(30)
    .describe("How long the logs of jobs and of functions are kept"),
  decisionRetentionDays: z.int().min(1).max(3650).default(14),
  artifactRetentionDays: z.int().min(1).max(36_500).optional().describe("If omitted, sealed artifacts are kept until someone deletes them"),
  deletionProtection: z.boolean().default(true).describe("Whether the table is protected from deletion"),
  alarms: AlarmThresholds.prefault({}).describe("Thresholds of the alarms that trigger new decisions about pools"),
  alarmTopicArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:/, "must be the ARN of an SNS topic")
    .optional()
    .describe("The SNS topic that is notified when an alarm goes off"),
});

/** The admin's configuration, with everything that must be decided before deploying. Unknown fields are refused. */
export const Configuration = Fields.superRefine((fleet, context) => {
  const problem = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: "custom", path, message });
  };
  for (const { path, message } of nameProblems(fleet)) problem(path, message);
  for (const team of Object.keys(fleet.teamLimits ?? {}).filter((name) => !fleet.teams.includes(name)))
    problem(["teamLimits", team], `there is no team "${team}"; known teams: ${fleet.teams.join(", ")}`);
  fleet.pools.forEach((pool, index) => {
    const least = pool.bootSeconds + pool.drainSeconds;
    if (pool.maxLifetimeSeconds !== undefined && pool.maxLifetimeSeconds <= least)
      problem(
        ["pools", index, "maxLifetimeSeconds"],
        `a node of pool "${pool.name}" would have no time to work: it must be longer than bootSeconds and drainSeconds together (${least})`,
      );
    if (!pool.shared && (pool.minNodes ?? 0) > 0) problem(["pools", index, "minNodes"], whyNoMinimum(pool.name));
    for (const team of pool.teams.filter((name) => !fleet.teams.includes(name)))
      problem(["pools", index, "teams"], `pool "${pool.name}" names the team "${team}", which is not in teams (${fleet.teams.join(", ")})`);
  });
  for (const { path, message } of fleet.pools.flatMap((pool, index) => budgetProblems(pool, fleet.teams, ["pools", index])))
    problem(path, message);
  for (const { pool, message } of fallbackProblems(fleet.pools, fleet.teams)) problem(["pools", pool, "fallback"], message);
  for (const team of [...new Set(fleet.teams)].filter(
    (name) => !fleet.pools.some((pool) => pool.teams.length === 0 || pool.teams.includes(name)),
  ))
    problem(["pools"], `no pool accepts jobs of the team "${team}"`);
  if (!fleet.pools.some((pool) => pool.name === fleet.defaultPool))
    problem(["defaultPool"], `there is no pool "${fleet.defaultPool}"; known pools: ${fleet.pools.map((pool) => pool.name).join(", ")}`);
});
export type Configuration = z.output<typeof Configuration>;
/** The configuration as an admin writes it: fields with defaults may be omitted. */
export type ConfigurationFile = z.input<typeof Configuration>;
export type PoolConfiguration = Configuration["pools"][number];

/** Checks and returns a configuration. Throws a FleetError that names every mistake and its place. */
export function parseConfiguration(value: unknown, from: string): Configuration {
  const configuration = checked(Configuration, value);
  if (configuration.kind === "good") return configuration.value;
  throw new FleetError("configuration", `The configuration in ${from} cannot be used:${linesOf(configuration.wrong)}`);
}

/** Reads the configuration from a `.ts` or `.js` module's default export, or from a `.json` file. */
export async function loadConfiguration(file: string): Promise<Configuration> {
  const path = resolve(file);
  return parseConfiguration(path.endsWith(".json") ? readJson(path) : await defaultExport(path), file);
}

/** Returns the part of the configuration that handlers read. */
export const fleetFile = (configuration: Configuration): FleetFile => ({
  name: configuration.name,
  teams: configuration.teams,
  pools: configuration.pools.map(({ volumeGiB: _volume, architecture: _architecture, mostLosses: _oldName, ...pool }) => pool),
  defaultPool: configuration.defaultPool,
  dataBuckets: configuration.dataBuckets,
  limits: configuration.limits,
  teamLimits: configuration.teamLimits,
  ec2Requests: configuration.ec2Requests,
  liveLogs: configuration.liveLogs,
  datasets: configuration.datasets,
});

function readJson(path: string): unknown {
  try {
    return JSON.parse(decoded(readFileSync(path)));
  } catch (cause) {
    throw new FleetError("configuration", `The configuration ${path} cannot be read: ${fileWords(cause) ?? inWords(cause)}`, {
      cause,
    });
  }
}

async function defaultExport(path: string): Promise<unknown> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw new FleetError("configuration", `The configuration ${path} cannot be read: ${inWords(cause)}`, {
      cause,
    });
  });
  if (module.default === undefined) throw new FleetError("configuration", `The configuration ${path} has no default export`);
  return module.default;
}
