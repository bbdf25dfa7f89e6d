import * as z from "zod";
import { PoolName, TeamName } from "../../../events/names.ts";
import { whenSpents } from "../../model/values/when-spent.ts";
import { Count, Market, Reserved, Time } from "./fields.ts";
import { LimitsView } from "./limits.ts";
import { NodeState } from "./nodes.ts";
import { OverridesView } from "./overrides.ts";

const OpenLaunch = z.object({
  launch: z.string(),
  team: TeamName.optional(),
  market: Market,
  instanceTypes: z.array(z.string()).describe("EC2 chooses one of these types"),
  nodes: z.int().min(1),
  reserved: Reserved,
  intendedAt: Time,
});

const Refusal = z.object({
  instanceType: z.string().optional(),
  zone: z.string().optional(),
  region: z.string().optional().describe("The region of the quota"),
  quota: z.string().optional().describe("The account's quota that was reached, if any; it applies to all types that it counts"),
  market: Market,
  code: z.string(),
  at: Time.optional().describe("When EC2 last refused"),
  until: Time,
});

const Breaker = z.object({
  instanceType: z.string(),
  zone: z.string(),
  failures: Count.describe("Instances in the last hour that never became workers"),
  state: z.enum(["open", "half-open"]).describe("half-open: a single launch may try"),
  restsUntil: Time,
});

const Budgets = z
  .object({
    usdPerDay: z.number().optional(),
    usdPerMonth: z.number().optional(),
    whenSpent: z.enum(whenSpents).optional().describe("drain: once a budget is used up, nodes are drained, too; stop-growth if omitted"),
  })
  .meta({ id: "Budgets" });

const Spent = z.object({ usdToday: z.number(), usdThisMonth: z.number() });

const BackOffView = z.object({
  what: z.string().describe("What is tried, for example `end i-0a1b2c3d4e5f60718`"),
  failures: Count.describe("How often in a row it has failed"),
  since: Time.describe("When it first failed"),
  retryAt: Time.describe("When it is tried again at the earliest"),
  why: z.string().describe("Why it failed the last time"),
});

export const PoolView = z
  .object({
    pool: PoolName,
    families: z.array(z.string()),
    markets: z.array(Market),
    shared: z.boolean(),
    containers: z.boolean(),
    teams: z.array(TeamName).describe("The teams that may use the pool; empty means all teams"),
    idleSeconds: z.number(),
    bootSeconds: z.number(),
    maxLifetimeSeconds: z.number().optional().describe("The longest time that a node is used after its launch"),
    drainSeconds: z.number().describe("How long attempts may still run on a node after its drain began"),
    consolidateSeconds: z
      .number()
      .optional()
      .describe("How long a node must be unchanged before its work may be moved to other nodes' free capacity, if that pays"),
    minimum: z
      .object({
        nodes: z.int().min(1),
        there: Count.describe("How many of them boot or are ready"),
        usdPerHour: z.number().describe("What those cost"),
        missingUsdPerHour: z
          .number()
          .optional()
          .describe("What the others would cost; omitted if none are missing, or prices are not known"),
        why: z.string().optional().describe("Why nodes are missing; omitted if none are"),
      })
      .optional()
      .describe("The nodes that the pool keeps, with work or without; omitted if it keeps none"),
    limits: Reserved.describe("The limits that apply"),
    reserved: Reserved,
    budgets: Budgets.optional().describe("The budgets that apply"),
    spent: Spent.describe("What nodes have cost in the current UTC day and month, including nodes that still run"),
    teamSpending: z
      .array(z.object({ team: TeamName, budgets: Budgets.optional(), spent: Spent.optional() }))
      .optional()
      .describe(
        "The same for the team's own nodes in this pool, for each team that the caller may act for and that has a budget or costs here. " +
          "`spent` is omitted if its record cannot be read; nothing is launched for the team then, if it has a budget",
      ),
    overrides: OverridesView.describe("What admins have ordered, in addition to the configuration or instead of it"),
    queue: z.object({ length: Count, oldestSubmittedAt: Time.optional() }),
    nodes: z.record(NodeState, Count).describe("Number of nodes by state"),
    openLaunches: z.array(OpenLaunch),
    refusals: z
      .array(Refusal)
      .describe("Offers of this pool that EC2 refused, to this pool or another; they are not requested again before `until`"),
    breakers: z.array(Breaker).describe("Instance types that, in a zone, do not boot with the image of the pool's launch template"),
    learned: z
      .array(z.object({ problems: z.string(), engine: z.string(), tries: z.number(), reward: z.number() }))
      .describe("Statistics about packing new nodes: per kind of problem and engine, how often the engine was tried, and its total reward"),
    unreadable: z
      .array(z.object({ kind: z.string(), key: z.string(), why: z.string() }))
      .optional()
      .describe("Items of the table that this release cannot read, for admins only; what they stand for stays as it is"),
    backOffs: z
      .array(BackOffView)
      .optional()
      .describe("What could not be done and is tried again with growing pauses, for admins only, in descending order of failures"),
    waiting: z
      .array(z.object({ node: z.string(), since: Time, why: z.string() }))
      .optional()
      .describe("Nodes whose work may still run and can start elsewhere only when EC2 says that they have ended, for admins only"),
    busy: z.boolean().describe("Whether the last decision found jobs, nodes or open launches"),
    decisions: Count.describe("Number of decisions begun since the deployment"),
    pricesAt: Time.optional().describe("When prices were last fetched"),
  })
  .meta({ id: "Pool" });
export type PoolView = z.infer<typeof PoolView>;

export const PoolList = z
  .object({
    items: z.array(PoolView),
    ...LimitsView.pick({ deployment: true, teams: true, settings: true }).partial().shape,
  })
  .meta({ id: "PoolList" });
export type PoolList = z.infer<typeof PoolList>;
