import { isSilent, silentAfterMs, unheardAfterMs } from "../../model/heartbeat/heartbeat.ts";
import { attemptName } from "../../model/job.ts";
import { type Node, wasNeverOrdered } from "../../model/node.ts";
import type { NodeSnapshot, Step } from "../../model/plan.ts";
import { maxDefianceSeconds, whyOverdue } from "../../model/values/attempt-times.ts";
import { heardFrom } from "../../model/values/hearing.ts";
import { minuteName } from "../../model/values/period.ts";
import { isLookDue, nextLook } from "./look-ups.ts";
import { silentNodes } from "./silence.ts";

/** A worker stops its runs within half a minute of the end of a drain, but an upload that has started may take longer. */
const letGoWithinMs = 10 * 60_000;
/** Reports whether a node can get work: it is booting, or it is ready and its worker called lately. */
export const isResponsive = (node: Node, nowMs: number): boolean =>
  node.state === "launching" || (node.state === "ready" && nowMs - (node.lastSeenMs ?? node.stateSinceMs) < unheardAfterMs);

/** Returns the steps for dead nodes, and when to decide again because of them, or because a node must be looked up. */
export function bury(snapshot: NodeSnapshot): { readonly steps: readonly Step[]; readonly wakesMs: readonly (number | undefined)[] } {
  const { nodes, nowMs } = snapshot;
  const steps = deadNodes(snapshot);
  const ending = new Set(steps.flatMap((step) => (step.kind === "end" ? [step.node] : [])));
  // What is taken off a node is queued by this plan's steps, so it must be decided on right after them.
  const takesBack =
    steps.some(({ kind }) => kind === "lose" || kind === "unbind") ||
    nodes.some(({ id, assignments }) => ending.has(id) && assignments.some(wasNeverOrdered));
  const outboxes = nodes.map((node) => outboxDueMs(node, nowMs));
  return { steps, wakesMs: [nextLook(nodes, nowMs), takesBack ? nowMs : undefined, ...outboxes] };
}

/** Returns steps for nodes that are dead or stuck, or whose end was never confirmed. The first rule that applies to a node wins. */
export function deadNodes(snapshot: NodeSnapshot): Step[] {
  const silent = new Map(silentNodes(snapshot).map((step) => [step.node, step]));
  return snapshot.nodes.flatMap((node): Step[] => {
    const step = verdict(node, snapshot) ?? silent.get(node.id) ?? unbound(node, snapshot);
    return step ? [step] : [];
  });
}

/**
 * What a silent node was never handed out need not wait for its end, and need not be judged as strictly: if the worker calls after all, it
 * loses nothing.
 */
function unbound(node: Node, { nowMs, hearing }: NodeSnapshot): Step | undefined {
  const { lastSeenMs } = node;
  if (lastSeenMs === undefined || !isSilent(node, nowMs) || !node.assignments.some(wasNeverOrdered)) return undefined;
  if (nowMs - heardFrom(hearing, lastSeenMs, nowMs) <= silentAfterMs) return undefined;
  const because = `the worker of ${node.id} has been silent since ${minuteName(lastSeenMs)} and has not begun it`;
  return { kind: "unbind", node: node.id, because };
}

function verdict(node: Node, { nowMs, pool, hearing, lookedAtMs }: NodeSnapshot): Step | undefined {
  switch (node.state) {
    case "gone":
      if (outboxDueMs(node, nowMs) !== undefined) return undefined;
      return {
        kind: "lose",
        node: node.id,
        because: node.declared ? `${node.declared.by} declared it dead: ${node.declared.because}` : "EC2 says that the instance has ended",
        // A node whose end was requested, or that EC2 took back, might have booted well.
        ...(node.readyAtMs === undefined && !node.released && !node.notice && !node.drain && !node.declared ? { neverBooted: true } : {}),
      };
    case "launching":
      return booting(node, { nowMs, pool, hearing, lookedAtMs });
    case "ready":
    case "draining":
      return working(node, { nowMs, hearing });
    case "terminating":
      return isLookDue(node, { nowMs, lookedAtMs })
        ? { kind: "confirm", node: node.id, because: "EC2 has not confirmed that it ended" }
        : undefined;
  }
}

/**
 * A node whose calls got no response leaves what its attempts did on S3 before it ends, and that is taken in at the same time as its end is noticed.
 * What it held is taken back only this much later, because an attempt that was taken back changes nothing any more.
 */
const outboxForMs = 240_000;
/** If taking one in has begun, the node's work is taken back only after this time. */
const outboxBegunForMs = 15 * 60_000;

/** Returns until when the outbox of a node that has ended is waited for; undefined for a node that cannot have one. */
function outboxDueMs({ state, stateSinceMs, lastSeenMs, declared, assignments }: Node, nowMs: number): number | undefined {
  const wasSilent = lastSeenMs !== undefined && stateSinceMs - lastSeenMs > silentAfterMs;
  if (state !== "gone" || !wasSilent || declared || assignments.every(wasNeverOrdered)) return undefined;
  const hasBegun = assignments.some(({ phase }) => phase === "uploading");
  const dueMs = stateSinceMs + (hasBegun ? outboxBegunForMs : outboxForMs);
  return nowMs < dueMs ? dueMs : undefined;
}

function working(node: Node, { nowMs, hearing }: Pick<NodeSnapshot, "nowMs" | "hearing">): Step | undefined {
  const { id, state, assignments, drain } = node;
  const isDraining = state === "draining";
  const isEmpty = assignments.length === 0;
  if (isDraining && node.lastSeenMs === undefined && !isEmpty)
    return { kind: "end", node: id, because: `${drain?.because ?? "EC2 took it back"} before its worker ever called` };
  if (drain && !isEmpty && nowMs - heardFrom(hearing, drain.untilMs, nowMs) > letGoWithinMs)
    return { kind: "end", node: id, because: `its worker has not released what it holds, and ${drain.because}` };
  return isDraining && isEmpty
    ? { kind: "retire", node: id, because: drain?.because ?? "its end was decided earlier but not carried out" }
    : undefined;
}

function booting(
  node: Node,
  { nowMs, pool, hearing, lookedAtMs }: Pick<NodeSnapshot, "nowMs" | "pool" | "hearing" | "lookedAtMs">,
): Step | undefined {
  if (nowMs - heardFrom(hearing, node.launchedAtMs, nowMs) > pool.bootSeconds * 1000)
    return {
      kind: "end",
      node: node.id,
      because: `its worker did not call within ${pool.bootSeconds} s of the launch`,
      neverBooted: true,
    };
  return isLookDue(node, { nowMs, lookedAtMs })
    ? { kind: "confirm", node: node.id, because: "its worker has not called for a minute or more" }
    : undefined;
}

/**
 * Returns steps for nodes whose worker does not stop an attempt whose time is over, although it was ordered to. Such a worker cannot be
 * relied on, so all that it holds must leave the node at once, and the node is ended.
 */
export function overdueNodes(
  nodes: readonly Node[],
  { nowMs, hearing }: Pick<NodeSnapshot, "nowMs" | "hearing">,
): (Step & { readonly node: string })[] {
  if (nowMs - heardFrom(hearing, 0, nowMs) <= maxDefianceSeconds * 1000) return [];
  return nodes.flatMap((node): (Step & { readonly node: string })[] => {
    const { id, state, drain, assignments } = node;
    // A silent worker may have stopped it, and is judged by its silence.
    if ((state !== "ready" && state !== "draining") || isSilent(node, nowMs)) return [];
    const [late] = assignments.flatMap(
      (held) => whyOverdue(held, nowMs - maxDefianceSeconds * 1000)?.concat(` (${attemptName(held)})`) ?? [],
    );
    if (late === undefined) return [];
    const because = `its worker has not stopped an attempt: ${late}`;
    // A node that is drained already keeps its drain, whose end may be days away.
    return [drain ? { kind: "end", node: id, because } : { kind: "drain", node: id, untilMs: nowMs, because }];
  });
}
