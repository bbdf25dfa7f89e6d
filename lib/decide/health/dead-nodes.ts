import type { Node } from "../../model/node.ts";
import type { Snapshot, Step } from "../../model/plan.ts";

/** A worker ends its jobs this long before its lease ends; nobody else starts them before this long after it. */
const leaseMarginMs = 60_000;
/** Three missed calls of a busy worker: give it nothing new until it is heard again. */
const silentAfterMs = 30_000;
/** A worker stops what runs within half a minute of the end of a drain; an upload that began may take longer. */
const letGoWithinMs = 10 * 60_000;
/** EC2's own notice of an end comes within seconds; after this long it is looked up. */
const confirmAfterMs = 120_000;

/** An instance that ended before its launch was on record was nobody's when EC2 told: one that boots is looked up once a minute, in these seconds of it. */
const lookEveryMs = 60_000;
const lookForMs = 10_000;

/** Whether a node can be given something: it lives, and it is heard or still booting. */
export const isHeard = (node: Node, nowMs: number): boolean =>
  node.state === "launching" || (node.state === "ready" && nowMs - (node.lastSeenMs ?? node.stateSinceMs) < silentAfterMs);

/** Nodes that are dead, stuck on their way, or whose end was never confirmed. The first rule that speaks wins. */
export function deadNodes(snapshot: Snapshot): Step[] {
  return snapshot.nodes.flatMap((node): Step[] => {
    const step = verdict(node, snapshot);
    return step ? [step] : [];
  });
}

function verdict(node: Node, { nowMs, pool }: Snapshot): Step | undefined {
  switch (node.state) {
    case "gone":
      return {
        kind: "lose",
        node: node.id,
        because: "EC2 says that the instance has ended",
        // Whose end was asked for, and whom EC2 took back, might have booted well.
        ...(node.readyAtMs === undefined && !node.released && !node.notice && !node.drain ? { neverBooted: true } : {}),
      };
    case "launching":
      return booting(node, { nowMs, pool });
    case "ready":
    case "draining":
      return working(node, nowMs);
    case "terminating":
      return nowMs - node.stateSinceMs > confirmAfterMs
        ? { kind: "confirm", node: node.id, because: "EC2 has not said that it ended" }
        : undefined;
  }
}

function working(node: Node, nowMs: number): Step | undefined {
  const { id, state, assignments, drain } = node;
  const isDraining = state === "draining";
  const isEmpty = assignments.length === 0;
  if (isDraining && node.lastSeenMs === undefined && !isEmpty)
    return { kind: "lose", node: id, because: `${drain?.because ?? "EC2 takes it back"} before its worker ever called` };
  if (nowMs > node.leaseUntilMs + leaseMarginMs)
    return { kind: "lose", node: id, because: "its worker was silent until its lease had ended" };
  if (drain && !isEmpty && nowMs > drain.untilMs + letGoWithinMs)
    return { kind: "end", node: id, because: `its worker has not let go of what it holds, and ${drain.because}` };
  return isDraining && isEmpty
    ? { kind: "retire", node: id, because: drain?.because ?? "its end was decided before and not carried out" }
    : undefined;
}

function booting(node: Node, { nowMs, pool }: Pick<Snapshot, "nowMs" | "pool">): Step | undefined {
  const bootedMs = nowMs - node.launchedAtMs;
  if (bootedMs > pool.bootSeconds * 1000)
    return {
      kind: "lose",
      node: node.id,
      because: `its worker did not call within ${pool.bootSeconds} s of the launch`,
      neverBooted: true,
    };
  return bootedMs >= lookEveryMs && bootedMs % lookEveryMs < lookForMs
    ? { kind: "confirm", node: node.id, because: "its worker has not called for a minute or more" }
    : undefined;
}

/** When the next node that boots is looked up. */
export function nextLookAtBooting(nodes: readonly Node[], nowMs: number): number | undefined {
  const next = nodes
    .filter((node) => node.state === "launching")
    .map(({ launchedAtMs }) => launchedAtMs + (Math.floor((nowMs - launchedAtMs) / lookEveryMs) + 1) * lookEveryMs);
  return next.length > 0 ? Math.min(...next) : undefined;
}
