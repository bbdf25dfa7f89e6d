import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { PoolName, TeamName } from "../../events/names.ts";
import { withNewNames } from "../model/pool.ts";
import { whenSpents } from "../model/values/when-spent.ts";
import { DatasetLimits } from "./dataset-limits.ts";
import { Ec2Requests } from "./ec2-requests.ts";
import { LiveLogs } from "./live-logs.ts";

/** Limits; an undefined one does not limit. */
const Limits = z.strictObject({ usdPerHour: z.number().min(0).optional(), gpus: z.int().min(0).optional() });

const Budgets = z.strictObject({
  usdPerDay: z.number().min(0).optional(),
  usdPerMonth: z.number().min(0).optional(),
  whenSpent: z.enum(whenSpents).optional(),
});

/** One pool, as handlers read it. */
export const FleetPool = z.strictObject({
  name: PoolName,
  families: z.array(z.string()).min(1),
  markets: z.array(z.enum(["spot", "on-demand"])).min(1),
  limits: z.strictObject({ usdPerHour: z.number().min(0), gpus: z.int().min(0) }),
  budgets: Budgets.optional(),
  teamBudgets: z.record(TeamName, Budgets).optional(),
  idleSeconds: z.number().min(0),
  minNodes: z.int().min(0).optional(),
  bootSeconds: z.number().min(1),
  silentSeconds: z.number().min(1),
  islandHours: z.number().positive(),
  islandUsd: z.number().min(0).optional(),
  maxLifetimeSeconds: z.int().min(1).optional(),
  drainSeconds: z.number().min(0),
  consolidateSeconds: z.number().min(0).optional(),
  disruption: z.union([z.strictObject({ nodes: z.int().min(0) }), z.strictObject({ share: z.number().min(0).max(1) })]),
  maxLosses: z.int().min(1),
  maxQueuedJobs: z.int().min(1),
  maxRuntimeSeconds: z.int().min(1).optional(),
  shared: z.boolean(),
  teams: z.array(TeamName),
  containers: z.boolean(),
  fallback: PoolName.optional(),
  fallbackSeconds: z.number().min(0),
});

/** `fleet.json`: the part of the admin's configuration that handlers need. CDK writes it next to every bundle. */
export const FleetFile = z.strictObject({
  name: z.string(),
  teams: z.array(TeamName).min(1),
  pools: z.array(z.preprocess(withNewNames, FleetPool)).min(1),
  /** The pool for jobs that name none. */
  defaultPool: PoolName,
  /** Buckets, in addition to the datasets bucket, that may hold datasets. */
  dataBuckets: z.array(z.string()).default([]),
  /** Limits on what all pools together may reserve, and on what each team may reserve in all of them. */
  limits: Limits.optional(),
  teamLimits: z.record(TeamName, Limits).optional(),
  ec2Requests: Ec2Requests,
  liveLogs: LiveLogs,
  datasets: DatasetLimits,
});
export type FleetFile = z.infer<typeof FleetFile>;

export const readFleetFile = (folder: string): FleetFile => FleetFile.parse(JSON.parse(readFileSync(join(folder, "fleet.json"), "utf8")));
