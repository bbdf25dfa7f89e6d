import type { RecordedDecision, RecordedStep } from "../../ports/decision-reader.ts";
import { maySpeakFor, type Speaker } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";
import type { Decision, DecisionSummary } from "./views.ts";

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
