import type { DecisionSummary, DecisionView } from "../../api/views/decisions.ts";
import { anyOf, count, hourly } from "../terminal/amount.ts";
import { duration, past, when } from "../terminal/duration.ts";
import type { Column } from "../terminal/table.ts";
import { shortIds } from "./decision-id.ts";
import { factLines } from "./job-view.ts";

export const decisionColumns = (all: readonly DecisionSummary[], nowMs: number): Column<DecisionSummary>[] => {
  const short = shortIds(all.map(({ decision }) => decision));
  return [{ title: "DECISION", of: ({ decision }) => short.get(decision) ?? decision }, ...otherColumns(nowMs)];
};

const otherColumns = (nowMs: number): Column<DecisionSummary>[] => [
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

/** Returns the lines that show what a decision saw, what it did and why, and the outcome of each step. */
export function decisionLines(decision: DecisionView, nowMs: number): string[] {
  const { reserved, causes } = decision;
  const lines = factLines([
    ["decision", `${decision.decision} of pool ${decision.pool}`],
    ["made", past(Date.parse(decision.at), nowMs)],
    ["woken by", causes.join(", ") || undefined],
    [
      "saw",
      `${count(decision.queued, "job")} waiting, ${count(decision.nodes, "node")}, ${hourly(reserved.usdPerHour)} and ${count(reserved.gpus, "GPU")} reserved`,
    ],
    ["next look", decision.wakeAt === undefined ? undefined : when(Date.parse(decision.wakeAt), nowMs)],
  ]);
  const steps = stepLines(decision.taken).flatMap(({ index, what, because, outcome }) => [
    `${String(index + 1).padStart(3)}. ${what}`,
    ...(because === undefined ? [] : [`     because ${because}`]),
    ...(outcome === undefined ? [] : [`     → ${outcome.replace(/^(?:again|done): /, "")}`]),
  ]);
  const left = decision.leftOut > 0 ? [`     and ${count(decision.leftOut, "more step")}`] : [];
  return [...lines, "", ...(steps.length === 0 ? ["it took no steps"] : steps), ...left];
}

type Step = DecisionView["taken"][number];
type StepLine = {
  readonly index: number;
  readonly what: string;
  readonly because: string | undefined;
  readonly outcome: string | undefined;
};

/** The most jobs that one line of holds names. */
const maxNamed = 3;

/** Returns the steps one by one. Consecutive holds with the same reason become one line. */
function stepLines(steps: readonly Step[]): StepLine[] {
  const groups: { index: number; step: Step; jobs: string[] }[] = [];
  for (const [index, step] of steps.entries()) {
    const last = groups.at(-1);
    if (last && step.kind === "hold" && last.step.kind === "hold" && isAlike(step, last.step)) last.jobs.push(jobOf(step));
    else groups.push({ index, step, jobs: [jobOf(step)] });
  }
  return groups.map(({ index, step, jobs }) => {
    const more = jobs.length - maxNamed;
    const what =
      jobs.length === 1
        ? stepWords(step)
        : `let ${jobs.slice(0, maxNamed).join(", ")}${more > 0 ? ` and ${count(more, "more job")}` : ""} wait`;
    return { index, what, because: step.because, outcome: step.outcome };
  });
}

const isAlike = (a: Step, b: Step): boolean => a.because === b.because && a.outcome === b.outcome;

/** Returns a step in words. A kind that this release does not know is shown by its name. */
export function stepWords(step: Step): string {
  const nodes = step.nodes.join(", ") || "a node";
  switch (step.kind) {
    case "bind":
      return `give ${jobOf(step)} to ${nodes}`;
    case "bind-gang":
      return `give ${jobOf(step)} to ${count(step.nodes.length, "node")} at once: ${nodes}`;
    case "rebind":
      return `give ${jobOf(step)} to ${nodes} instead of a node that boots`;
    case "launch":
      return launchWords(step);
    case "retire":
      return `end ${nodes}, which is idle`;
    case "undrain":
      return `let ${nodes} get jobs again`;
    case "unbind":
      return `take back what ${nodes} has not begun, because its worker is silent`;
    case "lose":
      return `give up ${nodes} and take back what it held`;
    case "confirm":
      return `ask EC2 about ${nodes}`;
    case "move":
      return `move ${jobOf(step)} to another pool`;
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
  return `ask EC2 for ${count(nodes, `${market} node`)} for ${count(jobs, "job")}: ${anyOf(instanceTypes)} (reserves ${hourly(reserved.usdPerHour)}, ${count(reserved.gpus, "GPU")})`;
}
