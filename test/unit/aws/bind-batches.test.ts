import { describe, expect, test } from "vitest";
import { BindBatches } from "../../../lib/aws/table/pools/bind-batches.ts";
import type { FencedOutcome } from "../../../lib/aws/table/pools/fenced-write.ts";
import type { Part } from "../../../lib/aws/table/transaction.ts";
import { aNode, anEntry } from "../../fakes/builders.ts";

const fence = { pool: "gpu", epoch: 1 };
const part = (name: string): Part => ({ kind: "check", key: { pk: name, sk: "" }, when: [] });

/** A table that takes a turn of the event loop per transaction, and refuses those with a job whose name begins with "bad". */
function stage(fails: (names: readonly string[]) => FencedOutcome | Error = refusing) {
  const sent: string[][] = [];
  let [open, most] = [0, 0];
  const batches = new BindBatches({
    async write(_fence, parts) {
      const names = parts.map((each) => ("key" in each ? each.key.pk : ""));
      sent.push(names);
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      const outcome = fails(names);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    jobParts: (_pool, { entry }) => [part(entry.job), part(`${entry.job} attempt`), part(`${entry.job} queue`)],
    nodePart: (_pool, node, binds) => part(`${node} holds ${binds.length}`),
  });
  const bind = (job: string, node = "i-1") =>
    batches.add(fence, { entry: anEntry({ job }), waitsAs: 1, node: aNode({ id: node }), atMs: 1 });
  return { bind, sent, most: () => most };
}
const refusing = (names: readonly string[]): FencedOutcome => {
  const failed = new Set(names.flatMap((name, at) => (name.startsWith("bad") ? [at] : [])));
  return failed.size > 0 ? { failed } : "done";
};
const jobs = (count: number): string[] => Array.from({ length: count }, (_, n) => `j${n}`);

describe("binds to one node", () => {
  test("what is bound at once goes in one transaction with one write of the node", async () => {
    const { bind, sent } = stage();
    expect(await Promise.all(jobs(3).map((job) => bind(job)))).toEqual(["done", "done", "done"]);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toHaveLength(10);
    expect(sent[0]?.at(-1)).toBe("i-1 holds 3");
  });

  test("a transaction has at most 100 parts with the fence, and those of one node never run at the same time", async () => {
    const { bind, sent, most } = stage();
    expect(new Set(await Promise.all(jobs(100).map((job) => bind(job))))).toEqual(new Set(["done"]));
    expect(sent.map((parts) => parts.length + 1)).toEqual([98, 98, 98, 14]);
    expect(most()).toBe(1);
  });

  test("nodes do not wait for each other", async () => {
    const { bind, most } = stage();
    await Promise.all(["i-1", "i-2", "i-3"].map((node) => bind("a", node)));
    expect(most()).toBe(3);
  });

  test("what is added while a transaction is under way goes into the next one, and a bind after the last one is not forgotten", async () => {
    const { bind, sent } = stage();
    const first = bind("a");
    await Promise.resolve();
    await Promise.resolve();
    const next = [bind("b"), bind("c")];
    expect(await Promise.all([first, ...next])).toEqual(["done", "done", "done"]);
    expect(sent.map((parts) => parts.at(-1))).toEqual(["i-1 holds 1", "i-1 holds 2"]);
    expect(await bind("d").then(() => bind("e"))).toBe("done");
  });
});

describe("a job that cannot be bound", () => {
  test("a job whose conditions do not hold does not keep the others of its transaction from being bound", async () => {
    const { bind, sent } = stage();
    const outcomes = await Promise.all(["a", "bad", "b"].map((job) => bind(job)));
    expect(outcomes).toEqual(["done", { failed: new Set([0, 1, 2]) }, "done"]);
    expect(sent.map((parts) => parts.at(-1))).toEqual(["i-1 holds 3", "i-1 holds 1", "i-1 holds 1", "i-1 holds 1"]);
  });

  test("a single bind whose conditions do not hold is sent once", async () => {
    const { bind, sent } = stage();
    expect(await bind("bad")).toEqual({ failed: new Set([0, 1, 2]) });
    expect(sent).toHaveLength(1);
  });

  test("a void fence ends all binds of the transaction, and an error fails them and not the next ones", async () => {
    const fenced = stage(() => "fenced");
    expect(await Promise.all(jobs(2).map((job) => fenced.bind(job)))).toEqual(["fenced", "fenced"]);
    let calls = 0;
    const failing = stage(() => (++calls === 1 ? new Error("no table") : "done"));
    const failed = await Promise.allSettled(jobs(2).map((job) => failing.bind(job)));
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await failing.bind("c")).toBe("done");
  });
});
