import { describe, expect, test } from "vitest";
import { decideNodes } from "../../../lib/decide/decide.ts";
import { nextLook } from "../../../lib/decide/health/look-ups.ts";
import { silentNodes } from "../../../lib/decide/health/silence.ts";
import type { Node } from "../../../lib/model/node.ts";
import { type Hearing, heardAt, heardFrom, mayJudgeSilence } from "../../../lib/model/values/hearing.ts";
import { aNode, anAssignment, anOffer, aPool, aSnapshot, monday } from "../../fakes/builders.ts";

const minute = 60_000;
const now = monday + 600 * minute;
const heard = { atMs: now, sinceMs: now - 15 * minute };
const silent = (n: number, over: Partial<Node> = {}): Node =>
  aNode({ id: `i-${String(n).padStart(3, "0")}`, lastSeenMs: now - 31 * minute, ...over });
const many = (count: number, over: (n: number) => Partial<Node> = () => ({})): readonly Node[] =>
  Array.from({ length: count }, (_, n) => silent(n, over(n)));
const ended = (of: Parameters<typeof aSnapshot>[0]) =>
  silentNodes(aSnapshot({ nowMs: now, hearing: heard, ...of })).map(({ node }) => node);

describe("a silent node", () => {
  test("a node whose worker is silent for longer than its pool allows is ended, and the step says for how long", () => {
    const [step] = silentNodes(aSnapshot({ nowMs: now, hearing: heard, nodes: [silent(1)] }));
    expect(step).toEqual({ kind: "end", node: "i-001", because: "its worker has been silent for 31 min", silent: true });
    expect(ended({ nodes: [silent(1, { lastSeenMs: now - 30 * minute })] })).toEqual([]);
    expect(ended({ nodes: [silent(1)], pool: aPool({ silentSeconds: 3_600 }) })).toEqual([]);
  });

  test.each<[string, Partial<Node>, boolean]>([
    ["drains", { state: "draining" }, true],
    ["boots", { state: "launching", lastSeenMs: undefined }, false],
    ["is being terminated", { state: "terminating" }, false],
    ["is gone", { state: "gone" }, false],
  ])("a node that %s is judged by silence only if it works", (_what, over, isJudged) => {
    expect(ended({ nodes: [silent(1, over)] })).toHaveLength(isJudged ? 1 : 0);
  });

  test("silent nodes are looked up once a minute, whatever we hear, and a decision follows at the next minute", () => {
    const nodes = [silent(1, { lastSeenMs: now - 151_000 })];
    const at = (nowMs: number, lookedAtMs?: number) => decideNodes(aSnapshot({ nowMs, hearing: undefined, nodes, lookedAtMs })).steps;
    const look = [{ kind: "confirm", node: "i-001", because: "its worker is silent" }];
    expect(at(now)).toEqual(look);
    expect(at(now + 10_000, now)).toEqual([]);
    expect(at(now + 10_000, now - 1)).toEqual(look);
    expect(at(now + 2 * minute - 1, now)).toEqual(look);
    expect(nextLook(nodes, now + 10_000)).toBe(now + minute);
    expect(nextLook([silent(1, { lastSeenMs: now - 149_000 })], now)).toBeUndefined();
  });

  test("at most a thousand silent nodes are looked up in a minute, and each has its turn", () => {
    const nodes = many(2_500, () => ({ lastSeenMs: now - 3 * minute }));
    const turns = [0, 1, 2, 3, 4].map((n) => {
      const { steps } = decideNodes(aSnapshot({ nowMs: now + n * minute, hearing: undefined, nodes }));
      return steps.flatMap((step) => ("node" in step ? [step.node] : []));
    });
    expect(turns.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
    expect(new Set(turns.flat()).size).toBe(2_500);
  });
});

describe("a job that a silent node has not begun", () => {
  const bound = anAssignment({ phase: "placed", orderedAtMs: undefined });
  const begun = anAssignment({ job: "begun", phase: "running" });
  const steps = (over: Partial<Node>, hearing: Hearing = heard) =>
    decideNodes(aSnapshot({ nowMs: now, hearing, nodes: [silent(1, { lastSeenMs: now - 3 * minute, ...over })] })).steps.filter(
      ({ kind }) => kind === "unbind",
    );

  test("it is taken back as soon as the node counts as silent, and the next decision follows at once", () => {
    const because = "the worker of i-001 has been silent since 2026-06-01 09:57 UTC and has not begun it";
    expect(steps({ assignments: [begun, bound] })).toEqual([{ kind: "unbind", node: "i-001", because }]);
    const nodes = [silent(1, { lastSeenMs: now - 3 * minute, assignments: [bound] })];
    expect(decideNodes(aSnapshot({ nowMs: now, hearing: heard, nodes })).wakesMs).toContain(now);
  });

  test.each<[string, Partial<Node>]>([
    ["holds only what was handed out to it", { assignments: [begun] }],
    ["is heard", { lastSeenMs: now - minute, assignments: [bound] }],
    ["boots", { state: "launching", lastSeenMs: undefined, assignments: [bound] }],
  ])("nothing is taken back from a node that %s", (_what, over) => {
    expect(steps(over)).toEqual([]);
  });

  test("nothing is taken back if it may be we who are deaf", () => {
    expect(steps({ assignments: [bound] }, { atMs: now, sinceMs: now - 2 * minute })).toEqual([]);
  });
});

test("a silent node is judged by its silence, not by an attempt that it may have stopped in time", () => {
  const late = anAssignment({ phase: "running", untilMs: now - 60 * minute });
  const drains = (lastSeenMs: number) =>
    decideNodes(aSnapshot({ nowMs: now, hearing: heard, nodes: [silent(1, { lastSeenMs, assignments: [late] })] })).steps.map(
      ({ kind }) => kind,
    );
  expect(drains(now - 3 * minute)).not.toContain("drain");
  expect(drains(now)).toContain("drain");
});

describe("the brake", () => {
  /** A node of another zone whose worker is heard. */
  const heardNode = silent(99, { lastSeenMs: now, offer: anOffer({ zone: "us-east-1c" }) });

  test("of many silent nodes a tenth is ended, those that were silent for longest first", () => {
    const nodes = many(40, (n) => ({ lastSeenMs: now - (31 + n) * minute }));
    expect(ended({ nodes: [...nodes, heardNode] })).toEqual(["i-039", "i-038", "i-037", "i-036"]);
  });

  test("one is ended even if there are few, and ends of the last hour count, in each zone for itself", () => {
    const inB = { offer: anOffer({ zone: "us-east-1b" }) };
    const nodes = [...many(3), silent(7, inB), heardNode];
    expect(ended({ nodes })).toEqual(["i-000", "i-007"]);
    const end = { node: "i-900", zone: "us-east-1a", atMs: now - 59 * minute };
    expect(ended({ nodes, silentEnds: [end] })).toEqual(["i-007"]);
    expect(ended({ nodes, silentEnds: [{ ...end, atMs: now - 60 * minute }] })).toEqual(["i-000", "i-007"]);
  });

  test("a node whose end EC2 has not accepted is ended again, and counts once", () => {
    const silentEnds = [{ node: "i-001", zone: "us-east-1a", atMs: now - minute }];
    expect(ended({ nodes: [...many(3), heardNode], silentEnds })).toEqual(["i-001"]);
  });
});

describe("who is deaf", () => {
  test("no worker is judged if no call to node was noted, if the last one is old, or soon after a gap", () => {
    const nodes = [silent(1)];
    expect(ended({ nodes, hearing: undefined })).toEqual([]);
    expect(ended({ nodes, hearing: { ...heard, atMs: now - 3 * minute } })).toEqual([]);
    expect(ended({ nodes, hearing: { ...heard, sinceMs: heard.sinceMs + 1 } })).toEqual([]);
    expect(mayJudgeSilence(heard, now)).toBe(true);
  });

  test("calls that follow each other within three minutes are one time of hearing, and after a gap another begins", () => {
    const first = heardAt(undefined, monday);
    expect(first).toEqual({ atMs: monday, sinceMs: monday });
    const second = heardAt(first, monday + 3 * minute - 1);
    expect(second).toEqual({ atMs: monday + 3 * minute - 1, sinceMs: monday });
    expect(heardAt(second, second.atMs + 3 * minute).sinceMs).toBe(second.atMs + 3 * minute);
  });

  test("a time that a worker has counts from when we began to hear it, and does not pass while we do not know that we do", () => {
    expect(heardFrom(heard, now - 60 * minute, now)).toBe(heard.sinceMs);
    expect(heardFrom(heard, now - minute, now)).toBe(now - minute);
    expect(heardFrom(undefined, now - 60 * minute, now)).toBe(now);
    expect(heardFrom({ ...heard, atMs: now - 3 * minute }, now - 60 * minute, now)).toBe(now);
  });
});

describe("a silent node that fails EC2's status checks", () => {
  const failing = (over: Partial<Node> = {}): Node =>
    aNode({ id: "i-001", lastSeenMs: now - 12 * minute, impairedSinceMs: now - 10 * minute, ...over });

  test("a silent node whose checks have failed for ten minutes is ended long before its silentSeconds, and the step says both", () => {
    const [step] = silentNodes(aSnapshot({ nowMs: now, hearing: heard, nodes: [failing()] }));
    expect(step).toMatchObject({ kind: "end", because: "its worker has been silent for 12 min, and it fails EC2's status checks" });
  });

  test.each<[string, Partial<Node>]>([
    ["calls", { lastSeenMs: now - 60_000 }],
    ["fails its checks for less than ten minutes", { impairedSinceMs: now - 10 * minute + 1 }],
    ["has called since its checks were seen to fail", { lastSeenMs: now - 9 * minute }],
    ["passes its checks", { impairedSinceMs: undefined }],
  ])("a node that %s is not ended for its checks", (_what, over) => {
    expect(ended({ nodes: [failing(over)] })).toEqual([]);
  });

  test("the brake counts such nodes like the others, and nothing is ended while we do not hear", () => {
    const nodes = [1, 2, 3].map((n) => failing({ id: `i-00${n}` }));
    expect(ended({ nodes })).toHaveLength(1);
    expect(ended({ nodes, hearing: undefined })).toEqual([]);
  });
});

describe("a pool of which no worker is heard", () => {
  test("if all of several workers are silent, none is ended for it, and one that is heard is enough for the others to be judged", () => {
    expect(ended({ nodes: many(5) })).toEqual([]);
    expect(ended({ nodes: [...many(5), silent(9, { lastSeenMs: now - 60_000 })] })).toHaveLength(1);
    expect(ended({ nodes: many(1) })).toHaveLength(1);
  });

  test("nodes that boot, and those that end, say nothing about what is heard", () => {
    const others = [silent(8, { state: "launching", lastSeenMs: undefined }), silent(9, { state: "terminating", lastSeenMs: now })];
    expect(ended({ nodes: [...many(2), ...others] })).toEqual([]);
  });

  test("one that should have ended itself ten minutes ago is ended all the same", () => {
    const pool = aPool({ islandHours: 2 });
    const nodes = (minutes: number) => many(2, (n) => ({ lastSeenMs: now - (minutes - n) * minute }));
    expect(ended({ pool, nodes: nodes(130) })).toEqual([]);
    expect(ended({ pool, nodes: nodes(131) })).toEqual(["i-000"]);
  });

  test("one that fails EC2's status checks is ended all the same", () => {
    const nodes = [...many(3), silent(9, { impairedSinceMs: now - 10 * minute })];
    expect(ended({ nodes })).toEqual(["i-009"]);
  });
});
