import { AttemptReport } from "../../events/node-call.ts";
import { FleetError } from "../model/fleet-error.ts";
import { attemptName, type OutboxRef } from "../model/job.ts";
import { type Assignment, isFirstMember, type Node } from "../model/node.ts";
import type { OpenedOutbox } from "../ports/islands/outboxes.ts";
import type { Ports } from "../ports/ports.ts";
import { type By, handleReport, type RecordDeps } from "./node/attempt-reports.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type TakeOutboxDeps = RecordDeps &
  Ringing &
  Pick<Ports, "nodeReader" | "outboxes" | "sealAgain"> & {
    /** The unique id of the instances' role. */
    readonly instanceRoleId: string;
  };

/**
 * `taken`: the end of the attempt, and what it left, are recorded. `stale`: its node does not hold the attempt any more, because the worker
 * has reported the end by itself or the attempt was replaced; nothing was changed. `absent`: there is no such object. `refused`: it can
 * never be taken in; `error` says why.
 */
export type TakenOutbox = { readonly kind: "taken" | "stale" | "absent" | "refused"; readonly phase?: string; readonly error?: unknown };

/**
 * Takes in what a node left of an attempt while its calls got no response: reports the attempt's end under its number, as the worker would have,
 * and puts what it left where the worker would have uploaded it. Taking it in twice is harmless.
 */
export async function takeOutbox(deps: TakeOutboxDeps, outbox: OutboxRef): Promise<TakenOutbox> {
  if (outbox.role !== deps.instanceRoleId) return refused("it was written by another role than that of nodes");
  const held = await holderOf(deps, outbox);
  if (!held) return { kind: "stale" };
  let opened: OpenedOutbox | undefined;
  try {
    opened = await deps.outboxes.open(outbox);
    return opened ? await take(deps, { outbox, held, opened }) : { kind: "absent" };
  } catch (error) {
    if (!(error instanceof FleetError) || error.retry) throw error;
    return { kind: "refused", error };
  } finally {
    opened?.close();
  }
}

type Held = { readonly node: Node; readonly assignment: Assignment };
type Taking = { readonly outbox: OutboxRef; readonly held: Held; readonly opened: OpenedOutbox };

/** Returns the node of the outbox and its assignment of the attempt; undefined if it does not hold the attempt (any more). */
async function holderOf({ nodeReader, nodeLedger }: TakeOutboxDeps, outbox: OutboxRef): Promise<Held | undefined> {
  // The reader may be behind, but a node's pool never changes.
  const known = await nodeReader.find(outbox.node);
  const node = known && (await nodeLedger.get(known.pool, outbox.node));
  const assignment = node?.assignments.find((each) => attemptName(each) === attemptName(outbox));
  return node && assignment && { node, assignment };
}

/** Reports the end first, as a worker does, so that the job goes on although its files take longer. */
async function take(deps: TakeOutboxDeps, { outbox, held, opened }: Taking): Promise<TakenOutbox> {
  const report = endIn(opened.report, outbox);
  // It counts as the last call that wrote the assignment: later than that one, and earlier than any that the worker still makes.
  const by: By = { process: opened.process, call: held.assignment.call ?? 0 };
  await record(deps, { node: held.node, report, by });
  if (!("uploads" in report && report.uploads)) {
    // The worker may have uploaded while its calls got no response. Sealing has refused that then, because the end was not recorded.
    const { team, job, attempt } = outbox;
    if (isFirstMember(held.assignment.rank)) await deps.sealAgain.send({ team, job, attempt });
    return { kind: "taken", phase: report.phase };
  }
  const still = await holderOf(deps, outbox);
  if (!still) return { kind: "stale" };
  const { isWhole } = await opened.deliver();
  const keepsNoFiles = !isFirstMember(held.assignment.rank);
  await record(deps, {
    node: (await holderOf(deps, outbox))?.node ?? still.node,
    report: afterUpload(report, isWhole || keepsNoFiles),
    by,
  });
  return { kind: "taken", phase: report.phase };
}

async function record(deps: TakeOutboxDeps, of: Parameters<typeof handleReport>[1]): Promise<void> {
  const { frees } = await handleReport(deps, of);
  if (frees) await ring(deps, of.node.pool, `outbox ${of.node.id}`);
}

type End = Exclude<AttemptReport, { phase: "running" }>;

/** Returns the end that an outbox reports. Throws a FleetError if it is none, or that of another attempt. */
function endIn(value: unknown, outbox: OutboxRef): End {
  const report = AttemptReport.safeParse(value);
  if (!report.success) throw new FleetError("outbox", "it does not report the end of an attempt", { cause: report.error });
  if (report.data.phase === "running") throw new FleetError("outbox", "it reports that the attempt runs, but it can only report its end");
  if (attemptName(report.data) !== attemptName(outbox)) throw new FleetError("outbox", `it reports ${attemptName(report.data)}`);
  return report.data;
}

/** Returns what a worker reports after its upload. */
function afterUpload(report: End, isWhole: boolean): AttemptReport {
  const { team, job, attempt } = report;
  if (report.phase === "uploaded") return report;
  if (report.phase !== "exited" || report.exitCode !== 0) return { ...report, uploads: false };
  if (isWhole) return { team, job, attempt, phase: "uploaded", startedAtMs: report.startedAtMs };
  return { team, job, attempt, phase: "failed", reason: "some of its files did not fit into the outbox of its node", again: true };
}

const refused = (why: string): TakenOutbox => ({ kind: "refused", error: new FleetError("outbox", why) });
