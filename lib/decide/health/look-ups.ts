import { isSilent } from "../../model/heartbeat/heartbeat.ts";
import type { Node } from "../../model/node.ts";
import type { NodeSnapshot, Step } from "../../model/plan.ts";

/** EC2's own event about an end arrives within seconds; after this long EC2 is asked. */
const confirmAfterMs = 120_000;
/** If an instance ends before its launch is recorded, or while we are out of reach, EC2's event about it is lost. */
const lookEveryMs = 60_000;
/** The most silent nodes that are looked up in one minute. The others follow in the next ones. */
const maxLooks = 1_000;

type Looks = Pick<NodeSnapshot, "nowMs" | "lookedAtMs">;

/**
 * Reports whether a booting or ending node is looked up now: once in each minute from when it was first due. A late decision
 * makes up for a missed look, so a lost or delayed wake-up costs no whole minute.
 */
export function isLookDue(node: Node, looks: Looks): boolean {
  const firstMs = firstLookMs(node);
  return firstMs !== undefined && hasPassed(firstMs, looks);
}

/** Reports whether a look was due since the last one, if they are due each minute from a time on. */
function hasPassed(firstMs: number, { nowMs, lookedAtMs }: Looks): boolean {
  if (nowMs < firstMs) return false;
  const lastDueMs = firstMs + Math.floor((nowMs - firstMs) / lookEveryMs) * lookEveryMs;
  // If clocks differ, the last look may lie ahead. Then it says nothing, because it could lie ahead for long.
  return lookedAtMs === undefined || lookedAtMs < lastDueMs || lookedAtMs > nowMs;
}

/** Returns when a booting or ending node is first looked up. */
function firstLookMs({ state, launchedAtMs, stateSinceMs }: Node): number | undefined {
  if (state === "launching") return launchedAtMs + lookEveryMs;
  return state === "terminating" ? stateSinceMs + confirmAfterMs : undefined;
}

/**
 * Returns steps that look up those of the nodes that are silent, once in each minute of the clock. Whatever we hear, EC2's word that an
 * instance has ended counts.
 */
export function lookUps(nodes: readonly Node[], looks: Looks): Step[] {
  const { nowMs } = looks;
  const silent = hasPassed(0, looks) ? nodes.filter((node) => isSilent(node, nowMs)) : [];
  const from = silent.length > maxLooks ? (Math.floor(nowMs / lookEveryMs) * maxLooks) % silent.length : 0;
  return [...silent.slice(from), ...silent.slice(0, from)]
    .slice(0, maxLooks)
    .map(({ id }) => ({ kind: "confirm", node: id, because: "its worker is silent" }));
}

/** Returns when the next node must be looked up. */
export function nextLook(nodes: readonly Node[], nowMs: number): number | undefined {
  const next = nodes.flatMap((node) => {
    const firstMs = firstLookMs(node);
    return firstMs === undefined ? [] : nextAfter(firstMs, nowMs);
  });
  if (nodes.some((node) => isSilent(node, nowMs))) next.push(nextAfter(0, nowMs));
  return next.length > 0 ? Math.min(...next) : undefined;
}

const nextAfter = (firstMs: number, nowMs: number): number =>
  nowMs < firstMs ? firstMs : firstMs + (Math.floor((nowMs - firstMs) / lookEveryMs) + 1) * lookEveryMs;
