import { describe, expect, test } from "vitest";
import { inTurn } from "../../../lib/decide/placement/turns.ts";
import type { QueueEntry } from "../../../lib/model/job.ts";
import { aNode, anAssignment, anEntry, monday } from "../../fakes/builders.ts";

const nothing = { nodes: [], launching: [] };
const names = (entries: readonly QueueEntry[]): string[] => entries.map(({ team, job }) => `${team}/${job}`);
const of = (team: string, count: number, over: Partial<QueueEntry> = {}): QueueEntry[] =>
  Array.from({ length: count }, (_, n) => anEntry({ team, job: `${n}`, submittedAtMs: monday + n, ...over }));

describe("the order in which jobs are placed", () => {
  test("one team's jobs go by priority, then age", () => {
    const urgent = anEntry({ team: "a", job: "urgent", priority: 5, submittedAtMs: monday + 99 });
    expect(names(inTurn([...of("a", 2), urgent], nothing))).toEqual(["a/urgent", "a/0", "a/1"]);
  });

  test("teams take turns, whatever priority they give their jobs", () => {
    const loud = of("loud", 3, { priority: 1_000 });
    expect(names(inTurn([...loud, ...of("quiet", 2)], nothing))).toEqual(["loud/0", "quiet/0", "loud/1", "quiet/1", "loud/2"]);
  });

  test("a team that has more on nodes waits until the other has as much", () => {
    const needs = { vcpus: 2, memoryGiB: 8, gpus: 2 };
    const node = aNode({
      assignments: [anAssignment({ team: "a", job: "runs", needs }), anAssignment({ team: "b", job: "ends", needs, phase: "uploading" })],
    });
    const order = names(inTurn([...of("a", 1, { priority: 9 }), ...of("b", 3)], { nodes: [node], launching: [] }));
    expect(order.indexOf("a/0")).toBe(2);
  });

  test("jobs for which nodes are being launched count as what their team has", () => {
    const launching = of("a", 2).map((entry) => ({ ...entry, job: `launching-${entry.job}` }));
    expect(names(inTurn([...of("a", 1), ...of("b", 2)], { nodes: [], launching }))).toEqual(["b/0", "b/1", "a/0"]);
  });

  test("a gang counts with all its members, and a job without GPUs by its vCPUs or memory", () => {
    const cpu = { vcpus: 32, memoryGiB: 8, gpus: 0 };
    const order = names(inTurn([...of("gang", 2, { nodes: 3 }), ...of("cpu", 3, { needs: cpu })], nothing));
    expect(order).toEqual(["cpu/0", "gang/0", "cpu/1", "gang/1", "cpu/2"]);
  });

  test("the order does not depend on the order of the queue", () => {
    const queue = [...of("a", 5), ...of("b", 4, { priority: 3 }), ...of("c", 3)];
    expect(names(inTurn(queue.toReversed(), nothing))).toEqual(names(inTurn(queue, nothing)));
  });
});
