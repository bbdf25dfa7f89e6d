import * as z from "zod";
import { PoolName, TeamName } from "../../../events/job.ts";
import { Count, Market, Reserved, Time } from "./fields.ts";
import { NodeState } from "./nodes.ts";

const OpenLaunch = z.object({
  launch: z.string(),
  team: TeamName.optional(),
  market: Market,
  instanceTypes: z.array(z.string()).describe("EC2 picks one of them"),
  nodes: z.int().min(1),
  reserved: Reserved,
  intendedAt: Time,
});

const Refusal = z.object({
  instanceType: z.string().optional(),
  zone: z.string().optional(),
  quota: z.string().optional().describe("Of a limit of the account, which stands against all types it counts"),
  market: Market,
  code: z.string(),
  at: Time.optional().describe("When EC2 last said so"),
  until: Time,
});

const Breaker = z.object({
  instanceType: z.string(),
  zone: z.string(),
  failures: Count.describe("Instances within the last hour that never became workers"),
  state: z.enum(["open", "half-open"]).describe("half-open: one launch may try"),
  restsUntil: Time,
});

export const Pool = z
  .object({
    pool: PoolName,
    families: z.array(z.string()),
    markets: z.array(Market),
    shared: z.boolean(),
    containers: z.boolean(),
    teams: z.array(TeamName).describe("That may use it; empty for all"),
    idleSeconds: z.number(),
    bootSeconds: z.number(),
    maxLifetimeSeconds: z.number().optional().describe("No node is used for longer after its launch"),
    drainSeconds: z.number().describe("How long what runs on a node may go on once it is drained"),
    consolidateSeconds: z
      .number()
      .optional()
      .describe("For how long nothing may have changed on a node before its work is moved to where others have room, if that pays"),
    limits: Reserved,
    reserved: Reserved,
    budgets: z.object({ usdPerDay: z.number().optional(), usdPerMonth: z.number().optional() }).optional(),
    spent: z
      .object({ usdToday: z.number(), usdThisMonth: z.number() })
      .describe("By nodes in the UTC day and month, those that live with it"),
    queue: z.object({ length: Count, oldestSubmittedAt: Time.optional() }),
    nodes: z.record(NodeState, Count).describe("How many, by state"),
    openLaunches: z.array(OpenLaunch),
    refusals: z
      .array(Refusal)
      .describe("What this pool could buy and EC2 turned down, in this pool or another; not asked for again before `until`"),
    breakers: z.array(Breaker).describe("Types in zones that do not boot with the image of the pool's launch template"),
    learned: z
      .array(z.object({ problems: z.string(), engine: z.string(), tries: z.number(), reward: z.number() }))
      .describe(
        "What packing new nodes has taught: by the sort of problems, how often an engine was given work, and what that earned in all",
      ),
    busy: z.boolean().describe("Whether it has jobs, nodes or open launches, as the last decision found it"),
    decisions: Count.describe("Begun since it was deployed"),
    pricesAt: Time.optional().describe("When prices were fetched"),
  })
  .meta({ id: "Pool" });
export type Pool = z.infer<typeof Pool>;

/** Over all pools; what is not limited has no limit here. */
const Standing = z.object({ limits: z.object({ usdPerHour: z.number().optional(), gpus: Count.optional() }), reserved: Reserved });

export const PoolList = z
  .object({
    items: z.array(Pool),
    deployment: Standing.optional().describe("What all pools together have reserved, and may"),
    teams: z
      .array(Standing.extend({ team: TeamName }))
      .optional()
      .describe("The same of each team's own nodes, of teams that the caller speaks for. Nodes of shared pools are no team's"),
  })
  .meta({ id: "PoolList" });
export type PoolList = z.infer<typeof PoolList>;
