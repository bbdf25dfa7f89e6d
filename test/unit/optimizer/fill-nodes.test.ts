import { describe, expect, test } from "vitest";
import type { FreeNode, JobClass } from "../../../lib/optimizer/problem/problem.ts";
import { fillNodes } from "../../../lib/optimizer/search/fill-nodes.ts";
import { roomsOf } from "../../../lib/optimizer/search/rooms.ts";
import { freeNode as node } from "./free-node.ts";

const job = (name: string, size: readonly number[], over: Partial<JobClass> = {}): JobClass => ({ names: [name], size, ...over });

/** Returns the jobs by node, and those that found no room. */
function filled(jobs: readonly JobClass[], nodes: readonly FreeNode[]) {
  const rooms = roomsOf(nodes);
  const left = fillNodes(jobs, rooms).flatMap(({ names }) => names);
  return { left, ...Object.fromEntries(rooms.map((room) => [room.node.name, room.jobs.toSorted()])) };
}

describe("existing nodes", () => {
  test("existing nodes get the largest jobs first, each where it leaves least", () => {
    const jobs = [job("small", [1, 1]), job("large", [3, 3]), job("larger", [3, 3.5])];
    expect(filled(jobs, [node("four", [4, 4.5]), node("three", [3, 3.5])])).toEqual({
      left: [],
      three: ["larger"],
      four: ["large", "small"],
    });
  });

  test("a job goes to the node that it fills best, whatever the order of the nodes", () => {
    const nodes = [node("a", [8, 8]), node("b", [2, 2]), node("c", [4, 4])];
    expect(filled([job("j", [2, 2])], nodes)).toMatchObject({ b: ["j"] });
    expect(filled([job("j", [2, 2])], nodes.toReversed())).toMatchObject({ b: ["j"] });
  });

  test("a quantity of which there is only a millionth counts as much as any other one", () => {
    const nodes = [node("a", [2, 1e-6]), node("b", [2.5, 0])];
    expect(filled([job("j", [2, 0])], nodes)).toMatchObject({ b: ["j"] });
    const jobs = [job("long", [1.5, 0]), job("rare", [1, 1e-6])];
    expect(filled(jobs, nodes.slice(0, 1))).toEqual({ a: ["rare"], left: ["long"] });
  });

  test("of nodes with the same room, the one with the smaller name is filled", () => {
    expect(filled([job("j", [1, 1])], [node("b", [4, 4]), node("a", [4, 4])])).toMatchObject({ a: ["j"], b: [] });
  });

  test("a job without GPUs goes to a node without free GPUs if both are filled as well by it", () => {
    const withGpu = node("gpu", [4, 4], { gpu: { model: "t4", memoryGiB: 16 }, gpusFree: [1] });
    expect(filled([job("j", [1, 1])], [withGpu, node("plain", [4, 4])])).toMatchObject({ plain: ["j"], gpu: [] });
  });

  test("a job with GPUs is placed before larger jobs without any, and a share of a GPU before a job without", () => {
    const gpu = { model: "t4", memoryGiB: 16 };
    const nodes = [node("n", [4, 4], { gpu, gpusFree: [1] })];
    expect(filled([job("cpu", [3, 3]), job("gpu", [2, 2], { gpu: { count: 1 } })], nodes)).toEqual({ left: ["cpu"], n: ["gpu"] });
    expect(filled([job("cpu", [3, 3]), job("share", [3, 3], { gpu: { count: 0.5 } })], nodes)).toEqual({ left: ["cpu"], n: ["share"] });
  });

  test("as many jobs of a class as fit are placed on the nodes, and the others stay in their class", () => {
    const class4: JobClass = { names: ["a", "b", "c", "d"], size: [2, 2] };
    expect(filled([class4], [node("one", [2, 2]), node("two", [5, 5])])).toEqual({ left: ["d"], one: ["a"], two: ["b", "c"] });
  });
});
