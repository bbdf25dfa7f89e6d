import { impairedSince, isSilent, silentForMs } from "../../model/heartbeat/heartbeat.ts";
import { isLive, type Node } from "../../model/node.ts";
import type { NodeSnapshot, Step } from "../../model/plan.ts";
import { islandMs, type Pool } from "../../model/pool.ts";
import { mayJudgeSilence } from "../../model/values/hearing.ts";

/** Of the nodes of a pool in one zone, at most this share, and always one, is ended for silence in any hour. */
const maxShare = 0.1;
const brakeMs = 3_600_000;

type Silent = Step & { readonly node: string };

/**
 * Returns steps that end nodes whose workers were silent for too long. Silence alone proves little: if we hear no worker, it is we who are deaf,
 * so none is judged then, nor for a while after. If all of a pool's workers are silent at once, what
 * they have in common has failed, so none is ended that passes EC2's status checks, until it should have ended itself. If many are silent at once, what we do not hear is more likely a network than the nodes, so
 * only a few are ended at a time, those that were silent for longest first. What they ran is taken back when EC2 says that they have ended.
 */
export function silentNodes({ nowMs, nodes, pool, hearing, silentEnds = [] }: NodeSnapshot): readonly Silent[] {
  if (!mayJudgeSilence(hearing, nowMs)) return [];
  const isAnyHeard = working(nodes).length < 2 || working(nodes).some((node) => !isSilent(node, nowMs));
  const silent = nodes
    .map((node) => ({ node, forMs: silentForMs(node, nowMs), isImpaired: isSilent(node, nowMs) && wasImpaired(node, nowMs) }))
    .filter(({ node, forMs, isImpaired }) => isImpaired || forMs > (isAnyHeard ? pool.silentSeconds * 1000 : islandEndsMs(pool, node)))
    .toSorted((a, b) => b.forMs - a.forMs || (a.node.id < b.node.id ? -1 : 1));
  const recent = silentEnds.filter(({ atMs }) => nowMs - atMs < brakeMs);
  const ended = new Set(recent.map(({ node }) => node));
  return [...Map.groupBy(silent, ({ node }) => node.offer.zone)].flatMap(([zone, those]) => {
    const left = allowedIn(zone, nodes) - recent.filter((end) => end.zone === zone).length;
    // A node whose end was decided, but not accepted by EC2, is asked for again without counting twice.
    const [again, others] = [those.filter(({ node }) => ended.has(node.id)), those.filter(({ node }) => !ended.has(node.id))];
    return [...again, ...others.slice(0, Math.max(0, left))].map(({ node, forMs, isImpaired }) => ({
      kind: "end",
      node: node.id,
      because: `its worker has been silent for ${Math.floor(forMs / 60_000)} min${isImpaired ? ", and it fails EC2's status checks" : ""}`,
      silent: true,
    }));
  });
}

/** A node without any response ends itself in time, unless it is dead. */
const islandEndsMs = (pool: Pool, { offer }: Node): number => Math.max(pool.silentSeconds * 1000, islandMs(pool, offer) + islandGraceMs);
const islandGraceMs = 10 * 60_000;

/** Returns the nodes whose workers have called at least once and should call now. */
const working = (nodes: readonly Node[]): readonly Node[] =>
  nodes.filter(({ state, lastSeenMs }) => (state === "ready" || state === "draining") && lastSeenMs !== undefined);

/** A silent node that fails EC2's status checks for this long is ended before its `silentSeconds` are over. */
const impairedForMs = 10 * 60_000;
const wasImpaired = (node: Node, nowMs: number): boolean => {
  const sinceMs = impairedSince(node);
  return sinceMs !== undefined && nowMs - sinceMs >= impairedForMs;
};

const allowedIn = (zone: string, nodes: readonly Node[]): number =>
  Math.max(
    1,
    Math.floor(nodes.filter((node) => node.offer.zone === zone && (isLive(node) || node.state === "draining")).length * maxShare),
  );
