import { isEnded, jobName } from "../../model/job.ts";
import type { MemoryTable } from "../memory/table.ts";
import type { FaultKind } from "./faults.ts";

/** The states of jobs and nodes that a fault can meet. */
export const statesMet = [
  ...(["queued", "placed", "running", "sealing"] as const).map((state) => `job ${state}` as const),
  ...(["launching", "ready", "draining", "terminating", "gone"] as const).map((state) => `node ${state}` as const),
] as const;
export type StateMet = (typeof statesMet)[number];

/** How often each kind of fault has struck while something was in each state, by kind, then by state. */
export type ReachedStates = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Notes in which states jobs and nodes were when faults struck. A fault of one instance meets its node and the jobs on it. Any other meets
 * all that there are.
 */
export class ReachedLog {
  readonly #table: Pick<MemoryTable, "instances" | "jobs" | "nodes">;
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(table: Pick<MemoryTable, "instances" | "jobs" | "nodes">) {
    this.#table = table;
  }

  /** `about`: what the fault is about. It ends with the id of an instance if it is about one. */
  note(kind: FaultKind, about: string): void {
    const counts = this.#counts.get(kind) ?? new Map<string, number>();
    this.#counts.set(kind, counts);
    for (const state of this.#states(about.slice(about.lastIndexOf(" ") + 1))) counts.set(state, (counts.get(state) ?? 0) + 1);
  }

  get states(): ReachedStates {
    return Object.fromEntries([...this.#counts].map(([kind, counts]) => [kind, Object.fromEntries(counts)]));
  }

  #states(about: string): ReadonlySet<string> {
    const { jobs, nodes } = this.#table;
    const isOne = this.#table.instances.has(about);
    const met = new Set<string>();
    const onNodes = new Set<string>();
    for (const { node } of nodes.values()) {
      if (isOne && node.id !== about) continue;
      met.add(`node ${node.state}`);
      for (const each of node.assignments) onNodes.add(jobName(each));
    }
    for (const job of jobs.values()) if (!isEnded(job.state) && (!isOne || onNodes.has(jobName(job)))) met.add(`job ${job.state}`);
    return met;
  }
}

/** Returns the sums of two counts. */
export function plusReached(a: ReachedStates, b: ReachedStates): ReachedStates {
  const kinds = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(kinds.map((kind) => [kind, summed(a[kind] ?? {}, b[kind] ?? {})]));
}

function summed(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...a };
  for (const [state, count] of Object.entries(b)) sum[state] = (sum[state] ?? 0) + count;
  return sum;
}
