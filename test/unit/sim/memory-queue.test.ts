import { expect, test } from "vitest";
import type { QueueEntry } from "../../../lib/model/job.ts";
import { MemoryQueue } from "../../../lib/sim/memory/queue.ts";
import { anEntry, monday } from "../../fakes/builders.ts";

const entry = (n: number, over: Partial<QueueEntry> = {}): QueueEntry =>
  anEntry({ job: `j-${n}`, submittedAtMs: monday + n, needs: { vcpus: 1, memoryGiB: 1 + n, gpus: 0 }, ...over });
const put = (queue: MemoryQueue, ...entries: readonly QueueEntry[]): void => {
  for (const each of entries) queue.set(`${each.team}/${each.job}`, { pool: "gpu", entry: each });
};
const range = (count: number, of: (n: number) => QueueEntry): QueueEntry[] => Array.from({ length: count }, (_, n) => of(n));

test("a long queue of one team is read in part, and another team's jobs are read in whole", async () => {
  const queue = new MemoryQueue();
  put(queue, ...range(30_000, (n) => entry(n, { team: "flooder", priority: 1000 })), ...range(20, (n) => entry(n, { team: "vision" })));
  expect(queue.isLong("gpu")).toBe(true);
  const read = await queue.read("gpu", monday);
  expect(read.queued).toBe(30_020);
  expect(read.queue.filter(({ team }) => team === "vision")).toHaveLength(20);
  expect(read.queue.length).toBeGreaterThan(10_000);
  expect(read.queue.length).toBeLessThanOrEqual(24_000);
  expect(queue.countOf("gpu", "flooder")).toBe(30_000);
});

test("each class of a long queue is read from its first job, also after jobs have left, come back and moved", async () => {
  const queue = new MemoryQueue();
  const same = (n: number): QueueEntry => entry(n, { needs: { vcpus: 1, memoryGiB: 1, gpus: 0 } });
  put(queue, ...range(2_500, same).reverse(), same(3_000));
  queue.delete("vision/j-3000");
  const first = (read: { readonly queue: readonly QueueEntry[] }) => read.queue.slice(0, 3).map(({ job }) => job);
  expect(first(await queue.read("gpu", monday))).toEqual(["j-0", "j-1", "j-2"]);
  for (const job of ["j-0", "j-1"]) queue.delete(`vision/${job}`);
  expect(first(await queue.read("gpu", monday))).toEqual(["j-2", "j-3", "j-4"]);
  put(queue, same(1), { ...same(3_000), submittedAtMs: monday });
  queue.set("vision/j-2", { pool: "other", entry: same(2) });
  const again = await queue.read("gpu", monday);
  expect(first(again)).toEqual(["j-3000", "j-1", "j-3"]);
  expect(again.queued).toBe(2_499);
  expect(queue.whole("other").queue.map(({ job }) => job)).toEqual(["j-2"]);
});
