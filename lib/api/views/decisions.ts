import * as z from "zod";
import { JobId, PoolName, TeamName } from "../../../events/job.ts";
import type { RecordedDecision, RecordedStep } from "../../ports/decision-reader.ts";
import { Count, Cursor, Market, Reserved, Time } from "./fields.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";

/** As the record has it: "bind", "launch", "retire" and so on; releases differ in them. */
const StepKind = z.string();

const decisionFacts = {
  decision: z.string().describe("Its id: YYYYMMDD-HHMMSS.mmmZ-…, in UTC"),
  pool: PoolName,
  at: Time,
  epoch: z.int().min(0),
  causes: z.array(z.string()).describe("Who rang the pool's bell since the decision before"),
  queued: Count.describe("Jobs that it found waiting"),
  nodes: Count.describe("Nodes that it found"),
  reserved: Reserved.describe("As it found it"),
  steps: z.record(StepKind, Count).describe("How many, by kind"),
  wakeAt: Time.optional().describe("When it wanted to look again, had nothing happened"),
  packing: z
    .object({
      engine: z.string().describe("Whose packing it is"),
      usdPerHour: z.number(),
      boundUsdPerHour: z.number().describe("No packing of the same jobs costs less; 0 where nothing is known"),
    })
    .optional()
    .describe("How the jobs that are to share new nodes were packed"),
};

export const DecisionSummary = z.object(decisionFacts).meta({ id: "DecisionSummary" });
export type DecisionSummary = z.infer<typeof DecisionSummary>;

/** Newest first. */
export const DecisionPage = z.object({ items: z.array(DecisionSummary), cursor: Cursor.optional() }).meta({ id: "DecisionPage" });
export type DecisionPage = z.infer<typeof DecisionPage>;

const DecisionStep = z.object({
  kind: StepKind,
  team: TeamName.optional(),
  job: JobId.optional().describe("Absent where the step is about none, or about another team's"),
  attempt: z.int().min(1).optional(),
  nodes: z.array(z.string()).describe("That it is about"),
  launch: z
    .object({ market: Market, instanceTypes: z.array(z.string()), nodes: z.int().min(1), reserved: Reserved, jobs: Count })
    .optional()
    .describe("What EC2 was asked for"),
  because: z.string().optional().describe("Absent where it is another team's"),
  outcome: z.string().optional().describe("What came of it; absent where it is another team's"),
});

export const Decision = z
  .object({
    ...decisionFacts,
    taken: z.array(DecisionStep).describe("The steps in the plan's order, a thousand at most"),
    leftOut: Count.describe("Steps beyond those"),
  })
  .meta({ id: "Decision" });
export type Decision = z.infer<typeof Decision>;

/** As many steps are told; a decision about ten thousand jobs would not fit into one answer of a Lambda. */
export const mostSteps = 1000;

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

export const decisionView = (decision: RecordedDecision, speaker: Speaker): Decision => ({
  ...decisionSummary(decision, speaker),
  taken: decision.steps.slice(0, mostSteps).map((step) => stepView(step, speaker)),
  leftOut: Math.max(0, decision.steps.length - mostSteps),
});

/** A cause that names a dataset names its team first: `dataset TEAM/NAME`. */
function maySeeCause(cause: string, speaker: Speaker): boolean {
  const [, team] = /^dataset ([^/]+)\//.exec(cause) ?? [];
  return team === undefined || maySpeakFor(speaker, team);
}

/** What is said about another team's jobs may name them: of such a step is told what was done, and on which nodes. */
function stepView({ kind, teams, attempt, nodes, launch, because, outcome }: RecordedStep, speaker: Speaker): Decision["taken"][number] {
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
