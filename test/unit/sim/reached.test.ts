import { expect, test } from "vitest";
import { plusReached, ReachedLog } from "../../../lib/sim/faults/reached.ts";
import { MemoryTable } from "../../../lib/sim/memory/table.ts";
import { aJob, aNode, anAssignment } from "../../fakes/builders.ts";

function table(): MemoryTable {
  const made = new MemoryTable();
  made.putNode(aNode({ id: "i-1", state: "ready", assignments: [anAssignment({ job: "a" })] }));
  made.putNode(aNode({ id: "i-2", state: "draining", assignments: [] }));
  made.putJob(aJob({ job: "a", state: "running" }));
  made.putJob(aJob({ job: "b", state: "queued" }));
  made.putJob(aJob({ job: "c", state: "succeeded" }));
  return made;
}

test("a fault of one instance meets its node and the jobs on it, and any other meets all that have not ended", () => {
  const reached = new ReachedLog(table());
  reached.note("worker.crash", "i-1");
  reached.note("ec2.event-late", "EC2 Instance State-change Notification i-2");
  reached.note("table.throttle", "nodeLedger.change");
  expect(reached.states).toEqual({
    "worker.crash": { "node ready": 1, "job running": 1 },
    "ec2.event-late": { "node draining": 1 },
    "table.throttle": { "node ready": 1, "node draining": 1, "job running": 1, "job queued": 1 },
  });
});

test("what several runs reached is added up", () => {
  expect(plusReached({ a: { x: 1 }, b: { x: 2 } }, { a: { x: 3, y: 1 } })).toEqual({ a: { x: 4, y: 1 }, b: { x: 2 } });
});
