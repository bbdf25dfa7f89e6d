import type { AttemptReport, NodeCall, NodeResponse, Order } from "../../events/node-call.ts";
import { callAgainMs, judgeLost, soonMs, whyLeave } from "../decide/attempts/judge-report.ts";
import { callNumber } from "../model/heartbeat/heartbeat.ts";
import { type AttemptRef, attemptName } from "../model/job.ts";
import { type Assignment, type Node, wasNeverOrdered } from "../model/node.ts";
import { islandMs } from "../model/pool.ts";
import { saysMore } from "../model/telemetry.ts";
import { whyOverdue } from "../model/values/attempt-times.ts";
import type { Ports } from "../ports/ports.ts";
import { type By, handleReport, type RecordDeps, type ReportHandled, refOf, writeVerdict } from "./node/attempt-reports.ts";
import { type RunOrderDeps, runOrder } from "./node/run-order.ts";
import { settled } from "./node/settled.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type NodeCallDeps = Ringing & RunOrderDeps & RecordDeps & Pick<Ports, "downloads">;

/**
 * Handles a worker's call. The worker reports all that it has in each call, and gets all that it should do, so the next call makes up for a
 * lost call or response. `node` is the caller's own instance id, proved by its signature.
 */
export async function handleNodeCall(deps: NodeCallDeps, node: string, call: NodeCall): Promise<NodeResponse> {
  if (call.kind === "boot") return { kind: "boot", ...(await deps.downloads.urls()) };
  if (call.kind === "canary") return canary(deps);
  const atMs = deps.now();
  const seen = call.kind === "begin" ? await deps.nodeLedger.begin(call.pool, node, atMs) : await see(deps, node, { call, atMs });
  switch (seen.kind) {
    case "unknown":
      return { kind: "wait", callAgainMs: 1_000 };
    case "over":
      return { kind: "shutdown", because: "the node has been given back" };
    case "session":
      return seen;
    // Never orders, even empty ones, because they mean to the worker that its report was recorded.
    case "overtaken":
      return { kind: "wait", callAgainMs: soonMs };
    // The process may have died, and the next one may have started attempts that this one does not know. If it lives, it begins another
    // session, and then reports everything again.
    case "no-session":
      return { kind: "no-session" };
    case "node":
      return orders(deps, {
        node: await applyNotice(deps, await prolonged(deps, seen.node, seen.silentMs), seen.call),
        joins: seen.joins,
        call: seen.call,
      });
  }
}

/** Shows the tick that workers' calls would be handled: this function runs, and it can read the table. */
async function canary({ nodeLedger }: NodeCallDeps): Promise<NodeResponse> {
  await nodeLedger.get("canary", "i-0000000000000ca01");
  return { kind: "canary" };
}

async function see(deps: NodeCallDeps, node: string, { call, atMs }: { readonly call: Report; readonly atMs: number }) {
  const { session, sequence, address, gpus, datasets } = call;
  const telemetry = { address, gpus, datasets };
  const seen = await deps.nodeLedger.seen(call.pool, node, { session, sequence, atMs, telemetry });
  return seen.kind === "node" ? { ...seen, call } : seen;
}

/**
 * While its calls get no response, a worker can neither begin an attempt nor renew the credentials of an upload, so that time does not count.
 * A program runs on meanwhile, and its time does.
 */
async function prolonged(deps: NodeCallDeps, node: Node, silentMs: number): Promise<Node> {
  const longer = node.assignments.flatMap(({ phase, untilMs, ...held }) =>
    silentMs === 0 || phase === "running" || untilMs === undefined ? [] : [{ ...refOf(held), untilMs: untilMs + silentMs }],
  );
  if (longer.length === 0) return node;
  await deps.nodeLedger.prolong(node.pool, node.id, longer);
  const untilMsOf = new Map(longer.map((each) => [attemptName(each), each.untilMs]));
  return { ...node, assignments: node.assignments.map((held) => ({ ...held, untilMs: untilMsOf.get(attemptName(held)) ?? held.untilMs })) };
}

/** Drains the node if the worker reports a new notice. The worker may see it before EC2's event arrives, and repeats it in each call. */
async function applyNotice(deps: NodeCallDeps, node: Node, { notice }: Report): Promise<Node> {
  if (!notice || !saysMore(notice, node.notice)) return node;
  await deps.nodeLedger.noticed(node.id, notice, deps.now());
  await ring(deps, node.pool, `${notice.kind} ${node.id}`);
  return { ...node, state: "draining", notice };
}

/** The most attempts whose credentials one call renews. A worker asks again for the others, and does so long before they expire. */
export const maxRenewals = 50;
/** The most run orders of one response, because Lambda limits it to 6 MB: an order holds a spec of up to 32 KiB, and credentials. */
export const maxRuns = 50;

type Report = Extract<NodeCall, { kind: "report" }>;
type Calling = { readonly node: Node; readonly joins: boolean; readonly call: Report };

/** One attempt that cannot be handled, for example because its job cannot be read, is passed over, because the others must not wait for it. */
async function orders(deps: NodeCallDeps, { node, joins, call }: Calling): Promise<NodeResponse> {
  const by = { process: call.process, call: callNumber(call) };
  const handle = (report: AttemptReport): Promise<ReportHandled> => handleReport(deps, { node, report, by });
  const [same, changed] = bySameness(call.attempts, node);
  const reports = [await settled(same, { concurrency: 16 }, handle), await settled(changed, inTurn, handle)];
  const handled = reports.flatMap(({ done }) => done);
  const reported = new Set(call.attempts.map(attemptName));
  const unreported = node.assignments.filter((held) => !reported.has(attemptName(held)));
  const left = unreported.filter((held) => held.phase !== "placed" && held.process !== by.process);
  const lost = await settled(left, inTurn, (held) => giveUp(deps, { node, held, by }));
  const freed = lost.done.length > 0 || handled.some((each) => each.frees);
  // Rings before anything that can fail, so that the pool learns of what was written even if this call fails.
  if (joins || freed) await ring(deps, node.pool, "worker");
  const placed = unreported.filter((held) => held.phase === "placed");
  const ordered = await settled(placed.slice(0, maxRuns), atOnce, (held) => firstOrder(deps, { node, held, by }));
  const runs = await handedOut(deps, node, ordered.done);
  if (runs.some((run) => run.frees)) await ring(deps, node.pool, "worker");
  const renewals = [...new Map(call.renew.map((ref) => [attemptName(ref), ref])).values()].filter((ref) => holds(node, ref));
  const renewed = await settled(renewals.slice(0, maxRenewals), atOnce, (ref) => renewal(deps, ref));
  const unrecorded = reports.flatMap(({ failures }) => failures);
  for (const { item, error } of [...unrecorded, ...lost.failures, ...ordered.failures, ...renewed.failures])
    deps.log({ level: "error", message: "attempt passed over", pool: node.pool, node: node.id, attempt: attemptName(item), error });
  return {
    kind: "orders",
    islandMs: islandMs(deps.configured(node.pool), node.offer),
    // If a place is free now, the worker should call again soon, because the job that gets the place waits for that call.
    callAgainMs: freed || placed.length > maxRuns || runs.some((run) => run.soon) ? soonMs : callAgainMs(node, deps.now()),
    orders: [...runs.flatMap((run) => run.orders), ...handled.flatMap((each) => each.orders)],
    done: handled.flatMap((each) => each.done),
    renewed: [...renewed.done],
    unrecorded: unrecorded.map(({ item }) => refOf(item)),
  };
}

/** For work that changes the node's item, because concurrent transactions on it would cancel each other. */
const inTurn = { concurrency: 1 };
const atOnce = { concurrency: maxRuns };

/** Returns the reports that only say that an attempt still runs, and the others, which change something. */
function bySameness(reports: readonly AttemptReport[], { assignments }: Node): readonly [AttemptReport[], AttemptReport[]] {
  const running = new Set(assignments.filter(({ phase }) => phase === "running").map(attemptName));
  const isSame = (report: AttemptReport): boolean => report.phase === "running" && running.has(attemptName(report));
  return [reports.filter(isSame), reports.filter((report) => !isSame(report))];
}

/** `soon`: the worker should call again in a moment. `frees`: the node no longer holds the attempt. */
type First = { readonly orders: readonly Order[]; readonly soon: boolean; readonly frees: boolean };

/**
 * Returns the order for an attempt that the worker has not reported yet. The worker may already be preparing it. So if the attempt must
 * leave, the worker is ordered to stop it, and only its report of that takes the attempt off the node.
 */
async function firstOrder(deps: NodeCallDeps, of: { node: Node; held: Assignment; by: By }): Promise<First> {
  const { node, held } = of;
  const leave = whyLeave(node, held, deps.now()) ?? whyOverdue(held, deps.now());
  const stop = (because: string): Order[] => [{ kind: "stop", ...refOf(held), because }];
  if (leave !== undefined) return { orders: stop(leave), soon: false, frees: false };
  const run = await runOrder(deps, node, held);
  if (!("reason" in run)) return { orders: run, soon: run.length === 0, frees: false };
  const job = { from: run.from, to: "failed", reason: run.reason, failure: "data-missing", failed: false } as const;
  const verdict = { kind: "change", job, assignment: "removed", forget: true } as const;
  const frees = await writeVerdict(deps, { node, attempt: refOf(held), verdict, by: of.by });
  return { orders: stop(run.reason), soon: true, frees };
}

/**
 * Records that the run orders are handed out, and leaves out those that must not be. It is recorded before the response, because what is recorded
 * may run from then on, and `place` takes back what is not.
 */
async function handedOut(deps: NodeCallDeps, node: Node, firsts: readonly First[]): Promise<readonly First[]> {
  const attempts = firsts.flatMap(({ orders }) => orders.filter(({ kind }) => kind === "run").map(refOf));
  // An order is repeated until its attempt is reported, and recorded only the first time.
  const names = new Set(node.assignments.filter((each) => !wasNeverOrdered(each)).map(attemptName));
  const never = attempts.filter((each) => !names.has(attemptName(each)));
  const held = never.length > 0 ? await deps.nodeLedger.handOut(node.pool, node.id, never, deps.now()) : [];
  for (const each of held) names.add(attemptName(each));
  return firsts.map((first) => ({
    ...first,
    orders: first.orders.filter((order) => order.kind !== "run" || names.has(attemptName(order))),
  }));
}

async function giveUp(deps: NodeCallDeps, of: { node: Node; held: Assignment; by: By }): Promise<void> {
  const attempt = refOf(of.held);
  const verdict = judgeLost(await deps.nodeLedger.job(attempt), of.held, deps.maxLosses(of.node.pool));
  if (verdict.kind === "change") await writeVerdict(deps, { node: of.node, attempt, verdict, by: of.by });
}

const renewal = async (deps: NodeCallDeps, ref: AttemptRef) => ({ ...refOf(ref), credentials: await deps.access.credentials(refOf(ref)) });
const holds = (node: Node, ref: AttemptRef): boolean => node.assignments.some((held) => attemptName(held) === attemptName(ref));
