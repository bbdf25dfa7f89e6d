import { byTurn, type QueueEntry } from "../../model/job.ts";
import type { Node } from "../../model/node.ts";
import type { Wants } from "../../model/wants.ts";

/** What a node usually has per GPU. A job counts as the GPUs whose share of a node it takes. */
const perGpu = { vcpus: 16, memoryGiB: 64 };

const weightOf = ({ needs, nodes }: Pick<Wants, "needs" | "nodes">): number =>
  nodes * Math.max(needs.gpus, needs.vcpus / perGpu.vcpus, needs.memoryGiB / perGpu.memoryGiB);

/**
 * Returns the jobs in the order in which they are placed. A team's own jobs go by priority, then age. Between teams, the next job is that
 * of the team that has the least so far (max-min fairness), so that no team's many or urgent jobs hold up those of another. What a team
 * has: its jobs on nodes, `launching`, and its jobs before this one.
 */
export function inTurn(queue: readonly QueueEntry[], has: { nodes: readonly Node[]; launching: readonly QueueEntry[] }): QueueEntry[] {
  const teams = Map.groupBy(queue.toSorted(byTurn), ({ team }) => team);
  if (teams.size < 2) return [...teams.values()].flat();
  const weights = new Map<string, number>();
  const add = (team: string, weight: number): void => void weights.set(team, (weights.get(team) ?? 0) + weight);
  // Each member of a gang has an assignment of its own.
  for (const { assignments } of has.nodes) {
    for (const { team, needs, phase } of assignments) if (phase !== "uploading") add(team, weightOf({ needs, nodes: 1 }));
  }
  for (const entry of has.launching) add(entry.team, weightOf(entry));
  const lines = [...teams].map(([team, entries]) => ({ entries, next: 0, weight: weights.get(team) ?? 0 }));
  const ordered: QueueEntry[] = [];
  while (lines.length > 0) {
    const line = lines.reduce((first, other) => (isBefore(other, first) ? other : first));
    const entry = line.entries[line.next] as QueueEntry;
    ordered.push(entry);
    line.next += 1;
    line.weight += weightOf(entry);
    if (line.next === line.entries.length) lines.splice(lines.indexOf(line), 1);
  }
  return ordered;
}

type Line = { readonly entries: readonly QueueEntry[]; readonly next: number; readonly weight: number };

function isBefore(a: Line, b: Line): boolean {
  if (a.weight !== b.weight) return a.weight < b.weight;
  return byTurn(a.entries[a.next] as QueueEntry, b.entries[b.next] as QueueEntry) < 0;
}
