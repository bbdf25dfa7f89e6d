import { describe, expect, test } from "vitest";
import { checkAgainAtMs, judgeSearch, nextOf } from "../../../lib/decide/launches/open-launch.ts";
import type { FoundInstance, LaunchSearch } from "../../../lib/model/launch.ts";
import { aLaunch, monday } from "../../fakes/builders.ts";

const minute = 60_000;
const found = (id: string, over = false): FoundInstance => ({ id, instanceType: "g5.xlarge", zone: "us-east-1a", over });
const reads = (fromMs: number, toMs: number): LaunchSearch => ({ why: "it is old", fromMs: monday + fromMs, toMs: monday + toMs });
const judged = (search: LaunchSearch | undefined, instances: readonly FoundInstance[], atMs: number, count = 2) =>
  judgeSearch(aLaunch({ search, count }), instances, { why: "it is old", nowMs: monday + atMs });

describe("an open launch", () => {
  test.each<[string, number, LaunchSearch | undefined, string]>([
    ["is repeated while it is young", 10 * minute - 1, undefined, "repeat"],
    ["is searched for after ten minutes", 10 * minute, undefined, "search"],
    ["from a moment in the future by another clock is young", -5_000, undefined, "repeat"],
    ["from far in the future has an unknown age, because a clock has jumped", -11 * minute, undefined, "search"],
    ["is never repeated once it was searched for", minute, reads(0, 0), "search"],
    ["is not searched for twice within seconds", minute, reads(0, minute - 19_000), "rest"],
    ["is searched for although the last read seems to be from the future", 0, reads(0, minute), "search"],
  ])("an open launch %s", (_what, atMs, search, next) => {
    expect(nextOf(aLaunch({ search }), monday + atMs)).toBe(next);
  });

  test("an open launch wakes its pool in time for the next request", () => {
    expect(checkAgainAtMs(aLaunch(), monday)).toBe(monday + 5_000);
    expect(checkAgainAtMs(aLaunch(), monday + 10 * minute)).toBe(monday + 10 * minute + 20_000);
    expect(checkAgainAtMs(aLaunch({ search: reads(0, minute) }), monday + minute + 5_000)).toBe(monday + minute + 20_000);
  });
});

describe("a search", () => {
  test("a search that shows all instances settles at once, with those that live", () => {
    expect(judged(undefined, [found("i-2", true), found("i-1")], 0)).toMatchObject({
      kind: "settle",
      instances: [{ id: "i-1", instanceType: "g5.xlarge", zone: "us-east-1a" }],
    });
    expect(judged(undefined, [found("i-2", true), found("i-1", true)], 0)).toMatchObject({ kind: "settle", instances: [] });
  });

  test("a search that shows some instances waits until reads of two minutes have shown no other", () => {
    const some = { came: [found("i-1")], newAtMs: monday + minute };
    expect(judged(reads(0, 0), [found("i-1")], minute)).toEqual({ kind: "wait", search: { ...reads(0, minute), ...some } });
    expect(judged({ ...reads(0, minute), ...some }, [found("i-1")], 3 * minute - 1)).toMatchObject({ kind: "wait" });
    expect(judged({ ...reads(0, minute), ...some }, [found("i-1")], 3 * minute)).toMatchObject({
      kind: "settle",
      instances: [{ id: "i-1" }],
    });
  });

  test("the first read that shows an instance proves nothing about the others, however long nothing was shown", () => {
    expect(judged(reads(0, 5 * minute), [found("i-1")], 6 * minute)).toMatchObject({ kind: "wait" });
    const before = { ...reads(0, 5 * minute), came: [found("i-1")], newAtMs: monday + minute };
    expect(judged(before, [found("i-2")], 6 * minute, 3)).toMatchObject({ kind: "wait", search: { newAtMs: monday + 6 * minute } });
  });

  test("a search that shows nothing retires the launch after ten minutes, and not before", () => {
    expect(judged(reads(0, 9 * minute), [], 10 * minute - 1)).toEqual({ kind: "wait", search: reads(0, 10 * minute - 1) });
    expect(judged(reads(0, 9 * minute), [], 10 * minute)).toMatchObject({ kind: "settle", instances: [] });
  });

  test("a search forgets no instance that one of its reads has shown", () => {
    const before = { ...reads(0, minute), came: [found("i-2")], newAtMs: monday };
    const both = { kind: "settle", instances: [{ id: "i-1" }, { id: "i-2" }] };
    expect(judged(before, [found("i-1")], minute + 20_000)).toMatchObject(both);
    expect(judged(before, [found("i-1")], 9 * minute), "after a gap").toMatchObject(both);
    expect(judged(before, [], 2 * minute)).toMatchObject({ kind: "settle", instances: [{ id: "i-2" }] });
    expect(judged(before, [found("i-2", true)], minute + 20_000)).toMatchObject({ kind: "wait", search: { came: [found("i-2", true)] } });
  });

  test("a clock that was set back does not make a search wait for longer", () => {
    const ahead = { ...reads(60 * minute, 60 * minute), came: [found("i-1")], newAtMs: monday + 60 * minute };
    const again = judged(ahead, [found("i-1")], minute);
    expect(again).toMatchObject({ kind: "wait", search: { fromMs: monday + minute, newAtMs: monday + minute } });
    if (again.kind === "wait") expect(judged(again.search, [found("i-1")], 3 * minute)).toMatchObject({ kind: "settle" });
  });

  test("a search starts again after a gap, and if the clock has jumped backwards", () => {
    expect(judged(reads(0, 9 * minute), [], 12 * minute + 1)).toEqual({ kind: "wait", search: reads(12 * minute + 1, 12 * minute + 1) });
    expect(judged(reads(0, 9 * minute), [], 9 * minute - 1)).toEqual({ kind: "wait", search: reads(9 * minute - 1, 9 * minute - 1) });
    expect(judged(reads(9 * minute, 0), [], minute)).toEqual({ kind: "wait", search: reads(minute, minute) });
  });

  test("a search leaves out instances with a copied tag, and those beyond the requested number", () => {
    const copied = { ...found("i-0"), instanceType: "t3.micro" };
    expect(judged(reads(0, 9 * minute), [copied], 10 * minute)).toMatchObject({ kind: "settle", instances: [] });
    const more = [found("i-3"), found("i-1"), found("i-2")];
    expect(judged(undefined, more, 0)).toMatchObject({ kind: "settle", instances: [{ id: "i-1" }, { id: "i-2" }] });
  });
});
