import type { Decision, DecisionSummary } from "../api/views.ts";
import { count, hourly } from "./amount.ts";
import { duration, when } from "./duration.ts";
import { factLines } from "./job-view.ts";
import type { Column } from "./table.ts";

export const decisionColumns = (nowMs: number): Column<DecisionSummary>[] => [
  { title: "DECISION", of: ({ decision }) => decision },
  { title: "POOL", of: ({ pool }) => pool },
  { title: "AGE", of: ({ at }) => duration(nowMs - Date.parse(at)), align: "right" },
  { title: "SAW", of: (each) => `${count(each.queued, "job")}, ${count(each.nodes, "node")}` },
  { title: "DID", of: ({ steps }) => did(steps), yields: true },
  { title: "CAUSES", of: ({ causes }) => causes.join(", "), yields: true },
];

const did = (steps: DecisionSummary["steps"]): string =>
  Object.entries(steps)
    .map(([kind, n]) => `${n} ${kind}`)
    .join(", ") || "nothing";

/** What a decision saw, what it did and why, and what came of each step. */
export function decisionLines(decision: Decision, nowMs: number): string[] {
  const { reserved, causes } = decision;
  const lines = factLines([
    ["decision", `${decision.decision} of pool ${decision.pool}`],
    ["made", when(Date.parse(decision.at), nowMs)],
    ["because of", causes.join(", ") || undefined],
    [
      "saw",
      `${count(decision.queued, "job")} waiting, ${count(decision.nodes, "node")}, ${hourly(reserved.usdPerHour)} and ${count(reserved.gpus, "GPU")} reserved`,
    ],
    ["look again", decision.wakeAt === undefined ? undefined : when(Date.parse(decision.wakeAt), nowMs)],
  ]);
  const steps = decision.taken.flatMap((step, index) => [
    `${String(index + 1).padStart(3)}. ${stepWords(step)}`,
    ...(step.because === undefined ? [] : [`     because ${step.because}`]),
    ...(step.outcome === undefined ? [] : [`     → ${step.outcome}`]),
  ]);
  const left = decision.leftOut > 0 ? [`     and ${count(decision.leftOut, "more step")}`] : [];
  return [...lines, "", ...(steps.length === 0 ? ["it did nothing"] : steps), ...left];
}

type Step = Decision["taken"][number];

/** One step in words. A kind of another release is named as it is. */
export function stepWords(step: Step): string {
  const nodes = step.nodes.join(", ") || "a node";
  switch (step.kind) {
    case "bind":
      return `give ${jobOf(step)} to ${nodes}`;
    case "bind-gang":
      return `give ${jobOf(step)} to ${count(step.nodes.length, "node")} at once: ${nodes}`;
    case "launch":
      return launchWords(step);
    case "retire":
      return `end ${nodes}, which holds nothing`;
    case "lose":
      return `give up ${nodes} and take back what it held`;
    case "confirm":
      return `ask EC2 about ${nodes}`;
    case "move":
      return `have ${jobOf(step)} wait in another pool`;
    case "fail":
      return `end ${jobOf(step)} as failed`;
    case "hold":
      return `let ${jobOf(step)} wait`;
    default:
      return [step.kind, step.job === undefined ? undefined : jobOf(step), step.nodes.join(", ") || undefined].filter(Boolean).join(" ");
  }
}

const jobOf = ({ team, job, attempt }: Step): string =>
  job === undefined
    ? `a job of ${team === undefined ? "another team" : `team ${team}`}`
    : `${team}/${job}${attempt === undefined ? "" : ` (attempt ${attempt})`}`;

function launchWords({ launch }: Step): string {
  if (launch === undefined) return "ask EC2 for nodes";
  const { market, instanceTypes, nodes, reserved, jobs } = launch;
  return `ask EC2 for ${count(nodes, `${market} node`)} for ${count(jobs, "job")}: ${instanceTypes.join(" or ")} (reserves ${hourly(reserved.usdPerHour)}, ${count(reserved.gpus, "GPU")})`;
}
