import * as z from "zod";
import type { RecordedDecision, RecordedStep } from "../../ports/decision-reader.ts";

const Job = z.object({ team: z.string(), job: z.string() });
const Attempt = z.object({ ...Job.shape, attempt: z.int() });
const Reserved = z.object({ usdPerHour: z.number(), gpus: z.number() });

/** The parts of a step of any kind that are shown. Other fields are ignored, because records outlive the release that wrote them. */
const StoredStep = z.object({
  kind: z.string(),
  because: z.string(),
  entry: Attempt.optional(),
  attempt: Attempt.optional(),
  node: z.string().optional(),
  nodes: z.array(z.string()).optional(),
  launch: z
    .object({
      team: z.string().optional(),
      market: z.enum(["spot", "on-demand"]),
      offers: z.array(z.object({ instanceType: z.string() })),
      jobs: z.array(Job),
      count: z.int().default(1),
      reserved: Reserved,
    })
    .optional(),
});
type StoredStep = z.infer<typeof StoredStep>;

const StoredDecision = z.object({
  pool: z.string(),
  epoch: z.int(),
  atMs: z.number(),
  causes: z.array(z.string()).default([]),
  snapshot: z.object({ reserved: Reserved, queue: z.array(z.unknown()), queued: z.int().optional(), nodes: z.array(z.unknown()) }),
  plan: z.object({
    steps: z.array(StoredStep),
    wakeAtMs: z.number().optional(),
    packing: z.object({ engine: z.string(), usdPerHour: z.number(), boundUsdPerHour: z.number() }).optional(),
  }),
  outcomes: z.array(z.string()),
});

/** Returns a record in the form that is shown to people. Throws if it is malformed. */
export function recordedDecision(value: unknown, id: string): RecordedDecision {
  const { pool, epoch, atMs, causes, snapshot, plan, outcomes } = StoredDecision.parse(value);
  return {
    id,
    pool,
    epoch,
    atMs,
    causes,
    queued: snapshot.queued ?? snapshot.queue.length,
    nodes: snapshot.nodes.length,
    reserved: snapshot.reserved,
    steps: plan.steps.map((step, index) => recordedStep(step, outcomes[index])),
    ...(plan.wakeAtMs !== undefined && { wakeAtMs: plan.wakeAtMs }),
    ...(plan.packing && { packing: plan.packing }),
  };
}

function recordedStep({ kind, because, entry, attempt, node, nodes, launch }: StoredStep, outcome: string | undefined): RecordedStep {
  const about = entry ?? attempt;
  const teams = [about?.team, launch?.team, ...(launch?.jobs ?? []).map(({ team }) => team)].filter((team) => team !== undefined);
  return {
    kind,
    because,
    teams: [...new Set(teams)].sort(),
    nodes: nodes ?? (node === undefined ? [] : [node]),
    ...(about && { attempt: about }),
    ...(launch && {
      launch: {
        market: launch.market,
        instanceTypes: [...new Set(launch.offers.map(({ instanceType }) => instanceType))],
        count: launch.count,
        reserved: launch.reserved,
        jobs: launch.jobs.length,
      },
    }),
    ...(outcome !== undefined && { outcome }),
  };
}
