import * as z from "zod";
import { type Pool, withNewNames } from "../../model/pool.ts";
import { whenSpents } from "../../model/values/when-spent.ts";
import type { Chance } from "../faults/chance.ts";
import { faultKinds, seamOf, usualRates } from "../faults/faults.ts";
import { outageParts } from "../faults/outages.ts";
import { spoiledKinds } from "../memory/unreadable.ts";

const Rate = z.number().min(0).max(1);
const range = (from: number, to: number) =>
  z
    .strictObject({ from: z.number().min(0), to: z.number().min(0) })
    .refine((each) => each.from <= each.to, "from must not be more than to")
    .default({ from, to });

const BudgetsPart = z.strictObject({
  usdPerDay: z.number().min(0).optional(),
  usdPerMonth: z.number().min(0).optional(),
  whenSpent: z.enum(whenSpents).optional(),
});

const PoolPart = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  /** The most that may be reserved at a time. */
  limits: z.strictObject({ usdPerHour: z.number().min(0), gpus: z.int().min(0) }),
  budgets: BudgetsPart.optional(),
  /** Budgets of teams in the pool, by team. */
  teamBudgets: z.record(z.string(), BudgetsPart).optional(),
  /** What nodes have cost before the run, on its first day: in all, and of each team's own nodes. */
  spentBefore: z
    .strictObject({ usd: z.number().min(0).default(0), teams: z.record(z.string(), z.number().min(0)).default({}) })
    .default({ usd: 0, teams: {} }),
  markets: z
    .array(z.enum(["spot", "on-demand"]))
    .min(1)
    .default(["spot", "on-demand"]),
  idleSeconds: z.int().min(1).default(45),
  bootSeconds: z.int().min(10).default(180),
  /** How long a worker may be silent, and how long a node with work goes on if its worker gets no response. */
  silentSeconds: z.int().min(60).default(1_800),
  islandHours: z.number().positive().default(24),
  islandUsd: z.number().positive().optional(),
  /** How long after its launch a node is used; undefined for no limit. */
  maxLifetimeSeconds: z.int().min(1).optional(),
  /** How long jobs may continue to run on a node that is drained. */
  drainSeconds: z.int().min(0).default(60),
  /** How long a node must be unchanged before its work moves to nodes that have room; undefined for never. */
  consolidateSeconds: z.number().min(0).optional(),
  /** The most nodes with work that may be drained at a time. */
  disruption: z.union([z.strictObject({ nodes: z.int().min(0) }), z.strictObject({ share: Rate })]).default({ nodes: 1 }),
  /** A job fails if this many nodes were lost while it ran on them. */
  maxLosses: z.int().min(1).default(4),
  /** The pool to which jobs move if EC2 has had no capacity for them here for `fallbackSeconds`. */
  fallback: z.string().optional(),
  fallbackSeconds: z.number().min(0).default(300),
  /** Whether one node may serve several teams. */
  shared: z.boolean().default(false),
  /** The most jobs of one team that may wait. */
  maxQueuedJobs: z.int().min(1).default(50_000),
});

/** A team that sends many jobs at once, each of which wants what no other job wants. */
const FloodPart = z.strictObject({
  /** Its name must not be one of `teams`. */
  team: z.string().regex(/^[a-z][a-z0-9-]{0,29}$/),
  pool: z.string(),
  jobs: z.int().min(1).max(1_000_000),
  atSecond: z.number().min(0),
  /** How long it takes to send them. */
  seconds: z.number().min(0.1),
});

const WiderPart = z.strictObject({ usdPerHour: z.number().min(0).optional(), gpus: z.int().min(0).optional() });

const TypePart = z.strictObject({
  name: z.string().min(1),
  vcpus: z.number().min(0),
  memoryGiB: z.number().min(0),
  gpus: z.int().min(0),
});

const OfferPart = z.strictObject({
  instanceType: z.string().min(1),
  zone: z.string().min(1),
  market: z.enum(["spot", "on-demand"]),
  usdPerHour: z.number().min(0),
  /** The most instances that EC2 has at a time; undefined for no limit. */
  capacity: z.int().min(0).optional(),
});

const JobsPart = z.strictObject({
  /** The number of jobs that a run submits, in its first two thirds. */
  count: range(5, 9),
  /** The running time of a program. */
  seconds: range(5, 150),
  gpus: range(0, 2),
  /** The number of files that it leaves. */
  artifacts: range(0, 2),
  /** The shares of jobs, 0 to 1, that fail at least once, are cancelled, are gangs, read a dataset, are sent twice, or are invalid. */
  failing: Rate.default(0.15),
  cancelled: Rate.default(0.1),
  gangs: Rate.default(0.15),
  reading: Rate.default(0.35),
  repeated: Rate.default(0.15),
  wrong: Rate.default(0.06),
  /** The share of jobs that need more than any node has. */
  impossible: Rate.default(0.06),
});

/** The scenario of a run of the chaos kit. Everything has a default: `{}` is the standard scenario. */
export const Scenario = z
  .strictObject({
    name: z.string().default("standard"),
    /** How long work arrives and faults happen, in virtual minutes. After that there are no faults, and everything must come to rest. */
    minutes: z.number().min(1).max(60_000).default(8),
    /** How many nodes a shared pool keeps, set by an admin before the run, until so many virtual minutes later. Undefined for none. */
    minimum: z.strictObject({ pool: z.string(), nodes: z.int().min(1), minutes: z.number().min(1) }).optional(),
    /** The virtual time at which a run begins, in UTC. Budgets renew at midnight. The usual one is a Monday. */
    startsAt: z.iso.datetime().default("2026-06-01T00:00:00Z"),
    /** The longest time that it may take to come to rest, in virtual minutes. */
    calmMinutes: z.number().min(1).max(600).default(75),
    teams: z
      .array(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/))
      .min(1)
      .default(["vision", "speech"]),
    pools: z
      .array(z.preprocess(withNewNames, PoolPart))
      .min(1)
      .prefault([
        { name: "gpu", limits: { usdPerHour: 9, gpus: 6 }, maxLifetimeSeconds: 420 },
        {
          name: "mixed",
          limits: { usdPerHour: 5, gpus: 4 },
          markets: ["on-demand"],
          idleSeconds: 30,
          bootSeconds: 150,
          shared: true,
          fallback: "gpu",
          fallbackSeconds: 20,
        },
      ]),
    /** The chance that a pool is removed from the configuration during a run, while it may have nodes and jobs. */
    poolRemoved: Rate.default(0.08),
    /** Limits for all pools together, and per team. */
    deployment: WiderPart.default({ usdPerHour: 11, gpus: 8 }),
    teamLimits: z.record(z.string(), WiderPart).default({ vision: { gpus: 5 } }),
    types: z
      .array(TypePart)
      .min(1)
      .default([
        { name: "g5.xlarge", vcpus: 4, memoryGiB: 16, gpus: 1 },
        { name: "g5.2xlarge", vcpus: 8, memoryGiB: 32, gpus: 1 },
        { name: "g5.12xlarge", vcpus: 48, memoryGiB: 192, gpus: 4 },
      ]),
    offers: z
      .array(OfferPart)
      .min(1)
      .default([
        { instanceType: "g5.xlarge", zone: "us-east-1a", market: "spot", usdPerHour: 0.4, capacity: 3 },
        { instanceType: "g5.xlarge", zone: "us-east-1b", market: "spot", usdPerHour: 0.45 },
        { instanceType: "g5.xlarge", zone: "us-east-1a", market: "on-demand", usdPerHour: 1 },
        { instanceType: "g5.2xlarge", zone: "us-east-1a", market: "spot", usdPerHour: 0.55, capacity: 2 },
        { instanceType: "g5.2xlarge", zone: "us-east-1b", market: "on-demand", usdPerHour: 1.2 },
        { instanceType: "g5.12xlarge", zone: "us-east-1a", market: "spot", usdPerHour: 1.6, capacity: 1 },
        { instanceType: "g5.12xlarge", zone: "us-east-1b", market: "on-demand", usdPerHour: 4 },
      ]),
    jobs: JobsPart.prefault({}),
    /** The number of datasets per team, and of shards per dataset. */
    datasets: z.strictObject({ perTeam: z.int().min(0).max(5), shards: z.int().min(0).max(1000) }).default({ perTeam: 1, shards: 12 }),
    bootSeconds: range(15, 70),
    /**
     * What the table takes: the writes per second of a partition, and how long a write is in flight, in ms. The faults `table.hot` and
     * `table.conflict` strike more often the more is written. The usual values are DynamoDB's.
     */
    tableCapacity: z
      .strictObject({ writesPerSecond: z.number().min(1), inFlightMs: z.number().min(0).max(1000) })
      .default({ writesPerSecond: 1000, inFlightMs: 15 }),
    /** A flood of jobs; undefined for none. Those that still wait when the faults stop are cancelled, as an operator would. */
    flood: FloodPart.optional(),
    /** How long a decision takes per queue entry that it reads, in virtual ms. Without it, decisions take no time of their own. */
    decisionMsPerEntry: z.number().min(0).max(10).default(0),
    /**
     * How soon jobs of teams that flood no pool must begin, idle nodes end and old nodes drain, in virtual seconds; undefined if faults
     * may delay them for any time.
     */
    promptSeconds: z.number().min(1).optional(),
    /** When EC2 interrupts spot instances: those of a zone, of a type, or all, with the two-minute notice or without. */
    spotTrace: z
      .array(
        z.strictObject({
          atSecond: z.number().min(0),
          zone: z.string().optional(),
          instanceType: z.string().optional(),
          notice: z.boolean().default(true),
        }),
      )
      .default([]),
    /**
     * An update to the next release. Each function changes to it at a time of its own between these minutes, and `unknown` of its writes,
     * 0 to 1, store a value that functions of this release cannot read. Undefined for none.
     */
    rollout: z.strictObject({ fromMinute: z.number().min(0), untilMinute: z.number().min(0), unknown: Rate }).optional(),
    /** What is out of reach for everybody, and when. */
    outages: z
      .array(z.strictObject({ of: z.enum(outageParts), fromMinute: z.number().min(0), untilMinute: z.number().min(0) }))
      .default([]),
    /** Zones whose nodes all fall silent until the faults stop. Half of the machines hang, and the others have no network. */
    zones: z
      .array(
        z.strictObject({
          zone: z.string(),
          atMinute: z.number().min(0),
          /** How long after that EC2 reports some of the instances as terminated, and how many. It says that the others run. */
          reportedAfterMinutes: z.number().min(0).default(20),
          reportedShare: Rate.default(0.5),
        }),
      )
      .default([]),
    /** The number of orders that admins give: they pause or drain a pool, lower its limit, cordon or drain a node, declare a dead one dead, or redrive. */
    orders: range(0, 2),
    /** How many times CloudWatch reports that an alarm has changed, at any time and about any pool, also of other deployments. */
    alarms: range(0, 0),
    /** Whether somebody redrives dead letters, when the faults stop and whenever an admin does so. Without it, there must be none. */
    redrive: z.boolean().default(false),
    /** How soon a job whose instance has ended must run on another, in virtual minutes; undefined for any time. */
    elsewhereMinutes: z.number().min(1).optional(),
    /** When a machine that runs a program hangs for good, and for how long EC2 then refuses to terminate it, which somebody forbade. */
    hangs: z.array(z.strictObject({ atMinute: z.number().min(0), refusedHours: z.number().min(0).default(0) })).default([]),
    /** When a machine that runs a program loses its network, and for how long. `refused`: EC2 refuses to terminate it, which somebody forbade. */
    cutOffs: z
      .array(z.strictObject({ atMinute: z.number().min(0), hours: z.number().positive(), refused: z.boolean().default(false) }))
      .default([]),
    /** How soon a node that hangs or has no network must be ended, in virtual minutes after that or after the last outage; undefined for any time. */
    recoverMinutes: z.number().min(1).optional(),
    /** The minutes of the run in which work arrives; undefined for the first two thirds. */
    arriveMinutes: z.number().min(0.1).optional(),
    /** The kind of the item that `table.unreadable` makes unreadable; undefined for each kind in turn, from seed to seed. */
    unreadable: z.enum(spoiledKinds).optional(),
    /** Rates that are the same in all runs; 0 for never. The others vary from run to run, around the usual ones. */
    faults: z.partialRecord(z.enum(faultKinds as [string, ...string[]]), Rate).default({}),
    /** Multiplies every rate. */
    intensity: z.number().min(0).max(20).default(1),
  })
  .refine(
    ({ types, offers }) => offers.every((offer) => types.some(({ name }) => name === offer.instanceType)),
    "an offer names an instance type that is not in types",
  );
export type Scenario = z.infer<typeof Scenario>;

/** Returns the pools of a scenario as they are configured. */
export const poolsOf = ({ pools }: Scenario): readonly Pool[] =>
  pools.map(({ spentBefore: _spent, ...pool }) => ({ ...pool, families: ["g5"], teams: [], containers: false }));

/** What most faults of a run are multiplied with, by seam. On average 1. */
const factors = [0, 0.5, 1, 1, 1.5, 2];
/** How often nothing delays messages and handlers in a run, so that what must happen at once is seen to. */
const promptRate = 0.15;
const delayingSeams: ReadonlySet<string> = new Set(["sqs", "lambda", "table"]);

/**
 * Returns the rate of each fault in a run: its own rate in the scenario or the usual one, times the intensity, at most 1. Usual rates are also
 * multiplied with a factor of their seam, which is drawn for each run, because some bugs need many faults of a kind and others need none.
 */
export function ratesOf(
  { faults, intensity }: Pick<Scenario, "faults" | "intensity">,
  chance: Chance,
): Readonly<Record<keyof typeof usualRates, number>> {
  const given: Readonly<Record<string, number | undefined>> = faults;
  const isPrompt = chance.happens(promptRate);
  const seams = new Map(faultKinds.map((kind) => [seamOf(kind), 0]));
  for (const seam of seams.keys()) {
    const factor = chance.pick(factors);
    seams.set(seam, isPrompt && delayingSeams.has(seam) ? 0 : factor);
  }
  const rates = faultKinds.map((kind) => {
    const rate = given[kind] ?? usualRates[kind] * (seams.get(seamOf(kind)) ?? 1);
    return [kind, Math.min(1, rate * intensity)];
  });
  return Object.fromEntries(rates) as Record<keyof typeof usualRates, number>;
}
