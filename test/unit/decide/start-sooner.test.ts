import { expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { startSooner } from "../../../lib/decide/placement/start-sooner.ts";
import type { Node } from "../../../lib/model/node.ts";
import { aNode, anAssignment, anEntry, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const now = monday + 120_000;
const booting = (over: Partial<Node> = {}): Node =>
  aNode({
    id: "boots",
    state: "launching",
    launchedAtMs: monday + 70_000,
    assignments: [anAssignment()],
    ...over,
  });
const free = (over: Partial<Node> = {}): Node => aNode({ id: "free", launchedAtMs: monday, lastSeenMs: now, lastBusyMs: now, ...over });
const moves = (nodes: readonly Node[], queue = [] as ReturnType<typeof anEntry>[]) =>
  startSooner({ queue }, nodes).steps.map(({ attempt, from, node }) => `${attempt.job} ${from} → ${node}`);

test("a job on a node that boots moves to a ready node that has room", () => {
  const { steps, touched, isAll } = startSooner({ queue: [] }, [booting(), free()]);
  const because = "g5.xlarge free has room, and boots still boots";
  expect(steps).toEqual([{ kind: "rebind", attempt: anAssignment(), from: "boots", node: "free", because }]);
  expect([...touched].sort()).toEqual(["boots", "free"]);
  expect(isAll).toBe(true);
});

test("a plan moves the job and leaves both nodes alone", () => {
  const nodes = [booting(), free({ lastBusyMs: monday - 3_600_000, readyAtMs: monday - 3_600_000 })];
  const plan = decide(aSnapshot({ nowMs: now, pool: aPool({ idleSeconds: 60 }), nodes, reserved: { usdPerHour: 1, gpus: 2 } }));
  expect(plan.steps.map(({ kind }) => kind)).toEqual(["rebind"]);
});

test.each([
  ["has called already", booting({ state: "ready" })],
  ["is draining", booting({ state: "draining" })],
  ["has only a member of a gang", booting({ assignments: [anAssignment({ rank: 0 })] })],
  ["has only an attempt that is evicted", booting({ assignments: [anAssignment({ evict: { because: "it hangs", atMs: now } })] })],
  ["has what its worker has begun", booting({ assignments: [anAssignment({ phase: "running" })] })],
])("nothing moves from a node that %s", (_what, node) => {
  expect(moves([node, free()])).toEqual([]);
});

test.each([
  ["serves another team", free({ team: "audio" })],
  ["boots, too", free({ state: "launching" })],
  ["is full", free({ assignments: [anAssignment({ job: "other", phase: "running" })] })],
  ["is spot, which the job does not accept", free({ offer: { ...free().offer, market: "spot" } })],
])("nothing moves to a node that %s", (_what, node) => {
  expect(moves([booting({ assignments: [anAssignment({ spot: false })] }), node])).toEqual([]);
});

test("while a gang waits, free rooms are left to it", () => {
  expect(moves([booting(), free()], [anEntry({ job: "gang", nodes: 2 })])).toEqual([]);
  expect(moves([booting(), free()], [anEntry({ job: "alone" })])).toEqual(["train-1 boots → free"]);
});

test("if not all jobs have room, those on the node that was launched last move", () => {
  const later = booting({ id: "later", launchedAtMs: monday + 90_000, assignments: [anAssignment({ job: "late" })] });
  expect(moves([booting(), later, free()])).toEqual(["late later → free"]);
});

test("a decision moves a hundred jobs, and the next follows at once", () => {
  const small = { vcpus: 0.01, memoryGiB: 0.01, gpus: 0 };
  const assignments = Array.from({ length: 101 }, (_, n) => anAssignment({ job: `j${n}`, needs: small }));
  const nodes = [booting({ assignments }), free()];
  const { steps, isAll } = startSooner({ queue: [] }, nodes);
  expect([steps.length, isAll]).toEqual([100, false]);
  expect(decide(aSnapshot({ nowMs: now, nodes, reserved: { usdPerHour: 1, gpus: 2 } })).wakeAtMs).toBe(now);
});
