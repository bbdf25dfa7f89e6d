import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Module } from "./modules.ts";
import { snapshotLiterals } from "./snapshots.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const tests: readonly Module[] = globSync("test/**/*.ts", { cwd: root })
  .map((path) => path.replaceAll("\\", "/"))
  .map((path) => ({ path, source: readFileSync(join(root, path), "utf8") }));

test("no test writes a snapshot as a literal, because aSnapshot builds them all", () => {
  expect(tests.flatMap(snapshotLiterals)).toEqual([]);
});

test("the search for snapshot literals covers every folder of tests", () => {
  for (const folder of ["bench", "contract", "e2e", "fakes", "property", "unit/decide"])
    expect(tests.filter(({ path }) => path.startsWith(`test/${folder}/`)).length, folder).toBeGreaterThan(0);
});

const found = (source: string, path = "test/unit/decide/x.test.ts"): readonly string[] => snapshotLiterals({ path, source });

describe("planted snapshots", () => {
  test.each([
    ["with values", "const seen: Snapshot = {\n  nowMs: 1,\n  pool: aPool({ limits }),\n  queue: [],\n  openLaunches: [],\n};"],
    ["with names alone", "return { nowMs, pool, queue, nodes, openLaunches };"],
    ["with other values spread into it", "decide({ ...usual, openLaunches: [aLaunch()], nowMs: 5, queue: [anEntry()] });"],
    ["inside another literal", "const record = { id, snapshot: { nowMs, queue: [], openLaunches: [] } };"],
    ["in a helper", "const seen = (over: Partial<Snapshot>): Snapshot => ({ nowMs, queue: [], openLaunches: [], ...over });"],
    ["in a generator", "fc.record({ nowMs: fc.constant(1), queue, nodes: nodesOf(known), openLaunches: openOf(known) });"],
    ["in a call of another function", "const made = anotherSnapshot({ nowMs, queue, openLaunches });"],
  ])("a snapshot %s is found", (_how, source) => {
    expect(found(source)).toEqual([
      expect.stringMatching(/^test\/unit\/decide\/x\.test\.ts:1 writes a snapshot as a literal; call aSnapshot$/),
    ]);
  });

  test("the line of a snapshot is reported", () => {
    expect(found("\n\nconst seen = { nowMs, queue, openLaunches };")).toEqual([expect.stringContaining("x.test.ts:3 ")]);
  });

  test.each([
    ["changes of the usual snapshot", "aSnapshot({ nowMs, queue: [anEntry()], openLaunches: [aLaunch()] });"],
    ["what a ledger loads", "expect(loaded).toEqual({ reserved, spent, queue: [], nodes: [], openLaunches: [], refusals: [] });"],
    ["a pool as the API shows it", "const view = { pool, queue: { length: 3, oldestSubmittedAt }, openLaunches: [{ launch }], refusals };"],
    ["names that lie in different literals", "const all = { nowMs, seen: { queue }, open: [{ openLaunches }] };"],
    ["a part that is taken from a snapshot", "const { nowMs, queue, openLaunches } = seen;"],
    ["a parameter that is taken apart", "const idle = ({ nowMs, queue, openLaunches }: Snapshot): boolean => queue.length === 0;"],
    ["a type", "type Part = { nowMs: number; queue: readonly QueueEntry[]; openLaunches: readonly Launch[] };"],
    ["text", 'const text = "{ nowMs, queue, openLaunches }"; // { nowMs, queue, openLaunches }'],
  ])("%s is no snapshot literal", (_what, source) => {
    expect(found(source)).toEqual([]);
  });

  test("the builder of snapshots may write one", () => {
    expect(found("({ nowMs, queue, openLaunches })", "test/fakes/builders.ts")).toEqual([]);
  });
});
