import * as z from "zod";
import { JobId, PoolName, TeamName } from "../../../events/names.ts";
import type { RecordedDecision, RecordedStep } from "../../ports/decision-reader.ts";
import { Count, Cursor, Market, Reserved, Time } from "./fields.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";

/** The kind as recorded, for example "bind", "launch" or "retire". Not an enum, because releases differ in their kinds. */
const StepKind = z.string();

const decisionFacts = {
  decision: z.string().describe("The decision's id: YYYYMMDD-HHMMSS.mmmZ-…, in UTC"),
  pool: PoolName,
  at: Time,
  epoch: z.int().min(0),
  causes: z.array(z.string()).describe("What rang the pool's bell since the previous decision"),
  queued: Count.describe("Jobs that the decision found waiting"),
  nodes: Count.describe("Nodes that the decision found"),
  reserved: Reserved.describe("What the decision found reserved"),
  steps: z.record(StepKind, Count).describe("Number of steps by kind"),
  wakeAt: Time.optional().describe("When the next decision is due if nothing happens before"),
  packing: z
    .object({
      engine: z.string().describe("The engine that found the packing"),
      usdPerHour: z.number(),
      boundUsdPerHour: z.number().describe("A lower bound: no packing of the same jobs costs less; 0 if unknown"),
    })
    .optional()
    .describe("How the jobs that share new nodes were packed"),
};

export const DecisionSummary = z.object(decisionFacts).meta({ id: "DecisionSummary" });
export type DecisionSummary = z.infer<typeof DecisionSummary>;

/** Newest first. */
export const DecisionPage = z.object({ items: z.array(DecisionSummary), cursor: Cursor.optional() }).meta({ id: "DecisionPage" });
export type DecisionPage = z.infer<typeof DecisionPage>;

const DecisionStep = z.object({
  kind: StepKind,
  team: TeamName.optional(),
  job: JobId.optional().describe("Omitted if the step is about no job or about another team's job"),
  attempt: z.int().min(1).optional(),
  nodes: z.array(z.string()).describe("The nodes that the step is about"),
  launch: z
    .object({ market: Market, instanceTypes: z.array(z.string()), nodes: z.int().min(1), reserved: Reserved, jobs: Count })
    .optional()
    .describe("The request to EC2"),
  because: z.string().optional().describe("Why the step was taken; omitted if it is about another team"),
  outcome: z.string().optional().describe("The result of the step; omitted if it is about another team"),
});

export const DecisionView = z
  .object({
    ...decisionFacts,
    taken: z.array(DecisionStep).describe("The first 1000 steps, in the plan's order"),
    leftOut: Count.describe("Number of steps after those"),
  })
  .meta({ id: "Decision" });
export type DecisionView = z.infer<typeof DecisionView>;

/** The most steps in a response, because a decision about ten thousand jobs would not fit into a Lambda's response. */
export const maxSteps = 1000;

export const decisionSummary = (decision: RecordedDecision, speaker: Speaker): DecisionSummary => ({
  decision: decision.id,
  pool: decision.pool,
  at: iso(decision.atMs),
  epoch: decision.epoch,
  causes: decision.causes.filter((cause) => maySeeCause(cause, speaker)),
  queued: decision.queued,
  nodes: decision.nodes,
  reserved: decision.reserved,
  steps: Object.fromEntries([...Map.groupBy(decision.steps, ({ kind }) => kind)].map(([kind, those]) => [kind, those.length])),
  wakeAt: isoIf(decision.wakeAtMs),
  packing: decision.packing,
});

export const decisionView = (decision: RecordedDecision, speaker: Speaker): DecisionView => ({
  ...decisionSummary(decision, speaker),
  taken: decision.steps.slice(0, maxSteps).map((step) => stepView(step, speaker)),
  leftOut: Math.max(0, decision.steps.length - maxSteps),
});

/** Returns whether the caller may see a cause. A cause about a dataset contains its team: `dataset TEAM/NAME`. */
function maySeeCause(cause: string, speaker: Speaker): boolean {
  const [, team] = /^dataset ([^/]+)\//.exec(cause) ?? [];
  return team === undefined || maySpeakFor(speaker, team);
}

/** Returns a step as a caller may see it. Steps about other teams lack job, reason and outcome, because their texts may name jobs. */
function stepView(
  { kind, teams, attempt, nodes, launch, because, outcome }: RecordedStep,
  speaker: Speaker,
): DecisionView["taken"][number] {
  const open = teams.every((team) => maySpeakFor(speaker, team));
  const [team, ...more] = teams;
  return {
    kind,
    team: more.length === 0 ? team : undefined,
    ...(open && attempt && { job: attempt.job, attempt: attempt.attempt }),
    nodes: [...nodes],
    launch: launch && {
      market: launch.market,
      instanceTypes: [...launch.instanceTypes],
      nodes: launch.count,
      reserved: launch.reserved,
      jobs: launch.jobs,
    },
    ...(open && { because, outcome }),
  };
}
