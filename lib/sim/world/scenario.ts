import * as z from "zod";
import { faultKinds, usualRates } from "../faults/faults.ts";

const Rate = z.number().min(0).max(1);
const range = (from: number, to: number) =>
  z
    .strictObject({ from: z.number().min(0), to: z.number().min(0) })
    .refine((each) => each.from <= each.to, "from is more than to")
    .default({ from, to });

const PoolPart = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  /** Most that may be reserved at one moment. */
  limits: z.strictObject({ usdPerHour: z.number().min(0), gpus: z.int().min(0) }),
  budgets: z.strictObject({ usdPerDay: z.number().min(0).optional(), usdPerMonth: z.number().min(0).optional() }).optional(),
  markets: z
    .array(z.enum(["spot", "on-demand"]))
    .min(1)
    .default(["spot", "on-demand"]),
  idleSeconds: z.int().min(1).default(45),
  bootSeconds: z.int().min(10).default(180),
  /** No node is used for longer after its launch; absent for no such bound. */
  maxLifetimeSeconds: z.int().min(1).optional(),
  /** How long what runs on a node may go on once it is drained. */
  drainSeconds: z.int().min(0).default(60),
  /** For how long nothing may have changed on a node before its work is moved to where others have room; absent for never. */
  consolidateSeconds: z.number().min(0).optional(),
  /** How many nodes with work may be drained at a time. */
  disruption: z.union([z.strictObject({ nodes: z.int().min(0) }), z.strictObject({ share: Rate })]).default({ nodes: 1 }),
  /** A job fails when so many nodes were lost while it ran on them. */
  mostLosses: z.int().min(1).default(4),
  /** The pool that jobs move to which EC2 gives nothing here for so long. */
  fallback: z.string().optional(),
  fallbackSeconds: z.number().min(0).default(300),
  /** Whether one node may serve several teams. */
  shared: z.boolean().default(false),
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
  /** Most that EC2 has of it at a time; absent for no such bound. */
  capacity: z.int().min(0).optional(),
});

const JobsPart = z.strictObject({
  /** How many a run submits, in its first two thirds. */
  count: range(5, 9),
  /** How long a program runs. */
  seconds: range(5, 150),
  gpus: range(0, 2),
  /** Files that it leaves. */
  artifacts: range(0, 2),
  /** Of a hundred jobs, this many in 0.01: that fail once or more, are cancelled, are gangs, read a dataset, are sent twice, cannot be read. */
  failing: Rate.default(0.15),
  cancelled: Rate.default(0.1),
  gangs: Rate.default(0.15),
  reading: Rate.default(0.35),
  repeated: Rate.default(0.15),
  wrong: Rate.default(0.06),
  /** That ask for more than any node has. */
  impossible: Rate.default(0.06),
});

/** What a run of the chaos kit is about. Everything has a good default: `{}` is the standard scenario. */
export const Scenario = z
  .strictObject({
    name: z.string().default("standard"),
    /** How long work comes in and faults strike, virtual minutes. Then all goes well, and everything has to come to rest. */
    minutes: z.number().min(1).max(240).default(8),
    /** How long it may take to come to rest, virtual minutes. */
    calmMinutes: z.number().min(1).max(600).default(75),
    teams: z
      .array(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/))
      .min(1)
      .default(["vision", "speech"]),
    pools: z
      .array(PoolPart)
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
    /** How likely it is that a pool is taken out of the configuration in a run, with what it has. */
    poolRemoved: Rate.default(0.08),
    /** Limits that go beyond one pool. */
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
    /** Of each team, this many, with this many shards. */
    datasets: z.strictObject({ perTeam: z.int().min(0).max(5), shards: z.int().min(0).max(1000) }).default({ perTeam: 1, shards: 12 }),
    bootSeconds: range(15, 70),
    /** When EC2 takes spot capacity back, of a zone or a type or all, with the two minutes' notice or without. */
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
    /** Rates that are not the usual ones; 0 for never. */
    faults: z.partialRecord(z.enum(faultKinds as [string, ...string[]]), Rate).default({}),
    /** Multiplies every rate. */
    intensity: z.number().min(0).max(20).default(1),
  })
  .refine(
    ({ types, offers }) => offers.every((offer) => types.some(({ name }) => name === offer.instanceType)),
    "an offer names a type that is not there",
  );
export type Scenario = z.infer<typeof Scenario>;

/** What a scenario says of the faults, with the usual rates for what it does not say. */
export const ratesOf = ({
  faults,
  intensity,
}: Pick<Scenario, "faults" | "intensity">): Readonly<Record<keyof typeof usualRates, number>> => {
  const said: Readonly<Record<string, number | undefined>> = faults;
  const rates = Object.entries(usualRates).map(([kind, usual]) => [kind, Math.min(1, (said[kind] ?? usual) * intensity)]);
  return Object.fromEntries(rates) as Record<keyof typeof usualRates, number>;
};
