import { describe, expect, test } from "vitest";
import { bury, deadNodes, isResponsive } from "../../../lib/decide/health/dead-nodes.ts";
import { nextLook } from "../../../lib/decide/health/look-ups.ts";
import type { Node } from "../../../lib/model/node.ts";
import { aNode, anAssignment, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const verdictOn = (node: Node, nowMs: number) => deadNodes(aSnapshot({ nowMs, pool: aPool({ bootSeconds: 600 }), nodes: [node] }));
const booting = aNode({ state: "launching", readyAtMs: undefined, lastSeenMs: undefined, stateSinceMs: monday });

describe("a node that must end", () => {
  test.each([
    ["when it did not boot in time", booting, monday + 600_001, "its worker did not call within 600 s of the launch"],
    [
      "when EC2 takes it back and its worker never called",
      { ...booting, state: "draining", assignments: [anAssignment()] } as const,
      monday + 1,
      "EC2 took it back before its worker ever called",
    ],
  ])("a node is ended %s, and its work is not taken back before that", (_when, node, nowMs, because) => {
    expect(verdictOn(node, nowMs)).toMatchObject([{ kind: "end", node: node.id, because }]);
  });

  test("a node is lost when EC2 says that it has ended", () => {
    expect(verdictOn(aNode({ state: "gone" }), monday)).toMatchObject([{ kind: "lose", because: "EC2 says that the instance has ended" }]);
  });

  test.each<[string, Partial<Node>, boolean]>([
    ["was silent when it ended", {}, true],
    ["called shortly before it ended", { lastSeenMs: monday + 850_000 }, false],
    ["held nothing that was ordered", { assignments: [anAssignment({ phase: "placed", orderedAtMs: undefined })] }, false],
    ["was declared dead by an admin", { declared: { by: "Admin/ada", because: "lost", atMs: monday } }, false],
    ["never called", { lastSeenMs: undefined }, false],
  ])("what it may have left on S3 is waited for four minutes if it %s", (_which, over, isWaitedFor) => {
    const node = aNode({ state: "gone", stateSinceMs: monday + 1_000_000, assignments: [anAssignment({ phase: "running" })], ...over });
    const endedMs = monday + 1_000_000;
    expect(verdictOn(node, endedMs + 239_999)).toHaveLength(isWaitedFor ? 0 : 1);
    expect(verdictOn(node, endedMs + 240_000)).toHaveLength(1);
    const { wakesMs } = bury(aSnapshot({ nowMs: endedMs, nodes: [node] }));
    expect(wakesMs.includes(endedMs + 240_000)).toBe(isWaitedFor);
  });

  test("what a node left on S3 is waited for 15 minutes if taking it in has begun", () => {
    const endedMs = monday + 1_000_000;
    const held = [anAssignment({ phase: "running" }), anAssignment({ job: "b", phase: "uploading" })];
    const node = aNode({ state: "gone", stateSinceMs: endedMs, assignments: held });
    expect(verdictOn(node, endedMs + 899_999)).toEqual([]);
    expect(verdictOn(node, endedMs + 900_000)).toHaveLength(1);
  });

  test.each<[string, Node, boolean]>([
    ["never booted if it did not call in time", booting, true],
    ["never booted if it ended before it called", { ...booting, state: "gone" }, true],
    ["had booted if it ended as a worker", aNode({ state: "gone" }), false],
    ["may have booted if it was given back before it called", { ...booting, state: "gone", released: true }, false],
    [
      "may have booted if EC2 took it back before it called",
      { ...booting, state: "gone", notice: { kind: "interruption", atMs: monday } },
      false,
    ],
  ])("such a node %s", (_which, node, neverBooted) => {
    const [step] = verdictOn(node, monday + 600_001);
    expect(step).toEqual(neverBooted ? expect.objectContaining({ neverBooted }) : expect.not.objectContaining({ neverBooted: true }));
  });

  test("a node does not boot late while its worker cannot be heard, nor for as long as it had after that", () => {
    const at = (nowMs: number, sinceMs: number) =>
      deadNodes(aSnapshot({ nowMs, hearing: { atMs: nowMs, sinceMs }, nodes: [booting] })).filter(({ kind }) => kind === "end");
    const hour = 3_600_000;
    expect(at(monday + 2 * hour, monday + 2 * hour - 600_000)).toEqual([]);
    expect(at(monday + 2 * hour, monday + 2 * hour - 600_001)).toHaveLength(1);
    expect(deadNodes(aSnapshot({ nowMs: monday + 2 * hour, hearing: undefined, nodes: [booting] }))).not.toContainEqual(
      expect.objectContaining({ kind: "end" }),
    );
  });
});

describe("a node that is left alone", () => {
  test.each([
    ["while it boots", booting, monday + 59_999],
    ["once its end was requested", aNode({ state: "terminating", stateSinceMs: monday }), monday + 119_999],
    ["while it drains and still holds something", aNode({ state: "draining", assignments: [anAssignment()] }), monday],
  ])("nothing is done about a node %s", (_while, node, nowMs) => {
    expect(verdictOn(node, nowMs)).toEqual([]);
  });
});

test("a drained node whose end was never requested is given back", () => {
  expect(verdictOn(aNode({ state: "draining" }), monday)).toMatchObject([{ kind: "retire" }]);
});

test("a drained node whose worker does not release its work is ended ten minutes after its time, and not before", () => {
  const drain = { because: "its life of 3600 s ends", untilMs: monday + 100_000 };
  const holding = aNode({ state: "draining", drain, assignments: [anAssignment({ phase: "running" })] });
  expect(verdictOn(holding, monday + 700_000)).toEqual([]);
  expect(verdictOn(holding, monday + 700_001)).toMatchObject([
    { kind: "end", because: expect.stringContaining("its life of 3600 s ends") },
  ]);
  expect(verdictOn({ ...holding, assignments: [] }, monday)).toMatchObject([{ kind: "retire", because: drain.because }]);
});

test("EC2 is asked about an end that it did not confirm within two minutes", () => {
  expect(verdictOn(aNode({ state: "terminating", stateSinceMs: monday }), monday + 120_001)).toMatchObject([{ kind: "confirm" }]);
});

describe("a booting node", () => {
  test.each<[number, number | undefined, boolean]>([
    [59_999, undefined, false],
    [60_000, undefined, true],
    [60_000, 30_000, true],
    [60_001, 60_000, false],
    [119_999, 60_000, false],
    [119_999, 59_999, true],
    [120_000, 60_000, true],
    [540_000, 70_000, true],
    [121_000, 122_000, true],
  ])("a booting node is looked up once a minute (%i ms after its launch, last looked at %s ms: %s)", (bootedMs, afterMs, looked) => {
    const lookedAtMs = afterMs === undefined ? undefined : monday + afterMs;
    const steps = deadNodes(aSnapshot({ nowMs: monday + bootedMs, pool: aPool({ bootSeconds: 600 }), nodes: [booting], lookedAtMs }));
    expect(steps).toEqual(looked ? [{ kind: "confirm", node: booting.id, because: "its worker has not called for a minute or more" }] : []);
  });

  test("a booting node wakes its pool for the next look-up", () => {
    const later = { ...booting, id: "later", launchedAtMs: monday + 30_000 };
    expect(nextLook([later, booting], monday + 30_000)).toBe(monday + 60_000);
    expect(nextLook([later, booting], monday + 60_000)).toBe(monday + 90_000);
    expect(nextLook([aNode()], monday)).toBeUndefined();
  });
});

describe("work for a node", () => {
  const seenAt = aNode().lastSeenMs ?? 0;
  test.each([
    ["gets work while it boots", booting, monday + 599_000, true],
    ["gets work while its worker calls", aNode(), seenAt + 89_999, true],
    ["gets no work when it was silent for a minute and a half", aNode(), seenAt + 90_000, false],
    ["gets no work while it drains", aNode({ state: "draining" }), seenAt, false],
    ["gets no work once its end was requested", aNode({ state: "terminating" }), seenAt, false],
    ["gets no work once it is gone", aNode({ state: "gone" }), seenAt, false],
  ])("a node %s", (_when, node, nowMs, expected) => {
    expect(isResponsive(node, nowMs)).toBe(expected);
  });
});
