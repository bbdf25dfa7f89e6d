import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { PoolName, TeamName } from "../../events/job.ts";
import { Ec2Requests } from "./ec2-requests.ts";

/** What is absent is not limited. */
const Limits = z.strictObject({ usdPerHour: z.number().min(0).optional(), gpus: z.int().min(0).optional() });

const Pool = z.strictObject({
  name: PoolName,
  families: z.array(z.string()).min(1),
  markets: z.array(z.enum(["spot", "on-demand"])).min(1),
  limits: z.strictObject({ usdPerHour: z.number().min(0), gpus: z.int().min(0) }),
  budgets: z.strictObject({ usdPerDay: z.number().min(0).optional(), usdPerMonth: z.number().min(0).optional() }).optional(),
  idleSeconds: z.number().min(0),
  bootSeconds: z.number().min(1),
  maxLifetimeSeconds: z.int().min(1).optional(),
  drainSeconds: z.number().min(0),
  consolidateSeconds: z.number().min(0).optional(),
  disruption: z.union([z.strictObject({ nodes: z.int().min(0) }), z.strictObject({ share: z.number().min(0).max(1) })]),
  mostLosses: z.int().min(1),
  shared: z.boolean(),
  teams: z.array(TeamName),
  containers: z.boolean(),
  fallback: PoolName.optional(),
  fallbackSeconds: z.number().min(0),
});

/** `fleet.json`: what the admin configured, as far as handlers need it. CDK writes it beside every bundle. */
export const FleetFile = z.strictObject({
  name: z.string(),
  teams: z.array(TeamName).min(1),
  pools: z.array(Pool).min(1),
  /** Where a job goes that names no pool. */
  defaultPool: PoolName,
  /** Buckets beside the datasets bucket in which datasets may lie. */
  dataBuckets: z.array(z.string()).default([]),
  /** What all pools together may reserve, and what each team may over all of them. */
  limits: Limits.optional(),
  teamLimits: z.record(TeamName, Limits).optional(),
  ec2Requests: Ec2Requests,
});
export type FleetFile = z.infer<typeof FleetFile>;

export const readFleetFile = (folder: string): FleetFile => FleetFile.parse(JSON.parse(readFileSync(join(folder, "fleet.json"), "utf8")));
