import type { AttemptReport, Order } from "../../../events/node-call.ts";
import {
  excused,
  isItsOwn,
  judgeLost,
  judgeReport,
  ofOverdue,
  type Peers,
  type ReportVerdict,
  wasLost,
  whyLeave,
} from "../../decide/attempts/judge-report.ts";
import { measuresOf } from "../../decide/health/measures.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { type AttemptRef, attemptName, type Job } from "../../model/job.ts";
import type { Assignment, Node } from "../../model/node.ts";
import type { Measuring } from "../../model/objectives/objective.ts";
import type { Pool } from "../../model/pool.ts";
import { maxRunSeconds, phaseEndsAtMs, runSecondsIn, whyOverdue } from "../../model/values/attempt-times.ts";
import type { ReportedOn } from "../../ports/node-ledger.ts";
import type { Ports } from "../../ports/ports.ts";
import { notifyRelease } from "./dataset-orders.ts";

export type RecordDeps = Pick<Ports, "nodeLedger" | "shardQueue"> &
  Measuring & {
    /** Returns the number of losses with which a job of that pool fails; undefined for a pool that is no longer configured. */
    readonly maxLosses: (pool: string) => number | undefined;
    /** Returns what a pool says about run times; undefined for a pool that is no longer configured. */
    readonly configured: (pool: string) => Pick<Pool, "maxRuntimeSeconds"> | undefined;
    readonly now: () => number;
  };

/** The call that reports something. */
export type By = Pick<ReportedOn, "process" | "call">;

/** The result of one report. `frees`: the node has room again, or the job waits again. */
export type ReportHandled = { readonly orders: readonly Order[]; readonly done: readonly AttemptRef[]; readonly frees: boolean };
const nothingToDo: ReportHandled = { orders: [], done: [], frees: false };

type Reported = { readonly node: Node; readonly report: AttemptReport; readonly by: By };
const maxTries = 3;

/**
 * Records one report. If a response neither stops nor passes over an attempt that has ended, the worker takes its end as recorded and goes on
 * to upload. So if something changed meanwhile, the attempt is read again, and finally the report fails and the worker repeats it.
 */
export async function handleReport(deps: RecordDeps, of: Reported): Promise<ReportHandled> {
  let { node } = of;
  for (let left = goesOn(of.report) ? maxTries : 1; left > 0; left--) {
    const handled = await handleOnce(deps, { ...of, node });
    if (handled !== "changed") return handled;
    if (left > 1) node = (await deps.nodeLedger.get(node.pool, node.id)) ?? node;
  }
  if (!goesOn(of.report)) return nothingToDo;
  throw new FleetError("report", `the end of ${attemptName(of.report)} could not be recorded; its worker reports it again`, {
    retry: true,
  });
}

const goesOn = (report: AttemptReport): boolean => report.phase === "exited" || ("uploads" in report && report.uploads === true);

/** `changed`: the table no longer was as it had been read, and nothing was recorded. */
async function handleOnce(deps: RecordDeps, of: Reported): Promise<ReportHandled | "changed"> {
  const attempt = refOf(of.report);
  const held = of.node.assignments.find((each) => attemptName(each) === attemptName(attempt));
  const job = await deps.nodeLedger.job(attempt);
  const judged = wasLost(of.report, held, of.by.process)
    ? judgeLost(job, held, deps.maxLosses(of.node.pool))
    : judgeReport(of.report, job, held);
  const timed = ofOverdue(judged, { job, held, nowMs: deps.now() });
  const verdict =
    judged.kind === "change" && judged.job && isItsOwn(judged.job) ? excused(judged, await peersOf(deps, of.node, job), deps.now()) : timed;
  switch (verdict.kind) {
    case "keep":
      return { ...nothingToDo, orders: leaveOrders({ ...of, held }, deps.now()) };
    case "forget":
      return { ...nothingToDo, done: [attempt] };
    case "stop":
      return { ...nothingToDo, orders: [{ kind: "stop", ...attempt, because: verdict.because }] };
    case "change":
      if (!(await writeVerdict(deps, { node: of.node, attempt, verdict, by: of.by, job }))) return "changed";
      return {
        orders: verdict.forget ? [] : leaveOrders(of, deps.now()),
        done: verdict.forget ? [attempt] : [],
        frees: verdict.assignment !== "running",
      };
  }
}

/**
 * Returns the gang's other members that still run; none for a job of one node. A member is not among them if it ended well, or if the
 * attempt has ended for all. In the latter case this report is about an attempt that is over, and nothing is written.
 */
async function peersOf(deps: RecordDeps, node: Node, job: Job | undefined): Promise<Peers> {
  const others = (job?.gang ?? []).map((id, rank) => ({ id, rank })).filter(({ id }) => id !== node.id);
  const found = await Promise.all(others.map(async ({ id, rank }) => ({ rank, node: await deps.nodeLedger.get(node.pool, id) })));
  return found.flatMap(({ rank, node: other }) => (job && other && runs(other, job) ? [{ rank, node: other }] : []));
}

/**
 * Returns the order to stop a run that must leave its node, or an attempt whose time is over. It is repeated in each response until the
 * attempt has stopped. `held` is undefined if the report has just begun another phase.
 */
function leaveOrders(of: { node: Node; report: AttemptReport; held?: Assignment | undefined }, nowMs: number): Order[] {
  const { node, report, held } = of;
  const leave = report.phase === "running" ? whyLeave(node, { phase: "running", evict: held?.evict }, nowMs) : undefined;
  const because = leave ?? (held && whyOverdue(held, nowMs));
  return because === undefined ? [] : [{ kind: "stop", ...refOf(report), because }];
}

/** Writes a verdict. Returns false if something had changed meanwhile: the next call is judged on the new state. */
export async function writeVerdict(
  deps: RecordDeps,
  of: {
    node: Node;
    attempt: AttemptRef;
    verdict: Extract<ReportVerdict, { kind: "change" }>;
    by: By;
    /** Undefined if the verdict takes the attempt off the node. */
    job?: Job | undefined;
  },
): Promise<boolean> {
  const on = { pool: of.node.pool, node: of.node.id, atMs: deps.now(), ...of.by };
  const { job, assignment, toSeal } = of.verdict;
  const runSeconds = runSecondsIn(deps.configured(on.pool), of.job?.spec?.maxRuntimeSeconds ?? maxRunSeconds);
  const untilMs = assignment === "removed" ? undefined : phaseEndsAtMs(assignment, on.atMs, runSeconds);
  const held = of.node.assignments.find((each) => attemptName(each) === attemptName(of.attempt));
  if ((await deps.nodeLedger.change(on, { attempt: of.attempt, job, assignment, untilMs, toSeal })) !== "done") return false;
  for (const measure of measuresOf({ pool: on.pool, attempt: of.attempt, held, job, nowMs: on.atMs })) deps.measured?.(measure);
  if (assignment === "removed") await notifyRelease(deps, held);
  return true;
}

const runs = (node: Node, ref: AttemptRef): boolean =>
  node.assignments.some((held) => attemptName(held) === attemptName(ref) && held.phase !== "uploading");
export const refOf = ({ team, job, attempt }: AttemptRef): AttemptRef => ({ team, job, attempt });
