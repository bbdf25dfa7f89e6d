import { describe, expect, it } from "vitest";
import { type FixedNode, fixedRooms, mostUseful } from "../../bench/research/fixed/choose.ts";
import { type Demand, type Need, wholeGpu } from "../../bench/research/fixed/needs.ts";
import { fillOf } from "../../bench/research/fixed/slivers.ts";

const aNode = (name: string, of: Partial<FixedNode> = {}): FixedNode => ({
  name,
  model: "a",
  vcpuMilli: 96_000,
  memoryMiB: 400_000,
  gpus: [wholeGpu, wholeGpu],
  ...of,
});
const aNeed = (of: Partial<Need> = {}): Need => ({ vcpuMilli: 4_000, memoryMiB: 8_000, gpus: 1, gpuMilli: wholeGpu, models: [], ...of });
const whole = aNeed();
const third = aNeed({ gpuMilli: 330 });
const pair = aNeed({ gpus: 2 });
const withoutGpu = aNeed({ gpus: 0, gpuMilli: 0 });
const demand: Demand = [whole, third, pair, withoutGpu].map((need) => ({ need, count: 10 }));

function chosen(nodes: readonly FixedNode[], need: Need, expected: Demand = demand) {
  const chooser = mostUseful(expected);
  const choice = chooser.choose(fixedRooms(nodes, chooser.shapes), need);
  return choice && { node: choice.room.node.name, gpus: choice.gpus };
}

describe("the choice of a node on a fleet that does not grow", () => {
  it("the choice of a node fills the rest of a GPU before it opens a whole one", () => {
    expect(chosen([aNode("n1"), aNode("n2", { gpus: [wholeGpu, 340] })], third)).toEqual({ node: "n2", gpus: [1] });
  });

  it("the choice of a node prefers the GPU on which the job leaves the least free", () => {
    expect(chosen([aNode("n1", { gpus: [500, 340] })], third)).toEqual({ node: "n1", gpus: [1] });
  });

  it("the choice of a node keeps a node whole for jobs that need all of its GPUs", () => {
    expect(chosen([aNode("n1"), aNode("n2", { gpus: [0, wholeGpu] })], whole)).toEqual({ node: "n2", gpus: [1] });
  });

  it("the choice of a node takes vCPUs of nodes whose GPUs no longer need them", () => {
    expect(chosen([aNode("n1", { vcpuMilli: 8_000 }), aNode("n2", { vcpuMilli: 8_000, gpus: [0, 0] })], withoutGpu)).toEqual({
      node: "n2",
      gpus: [],
    });
  });

  it("the choice of a node leaves GPUs of a model to jobs that require it", () => {
    const picky = aNeed({ models: ["b"] });
    const expected = [...demand, { need: picky, count: 40 }];
    expect(chosen([aNode("n1", { model: "b", gpus: [wholeGpu] }), aNode("n2", { gpus: [wholeGpu] })], whole, expected)?.node).toBe("n2");
  });

  it("the choice of a node places unexpected kinds of jobs, and all kinds if none are expected", () => {
    expect(chosen([aNode("n1")], aNeed({ gpuMilli: 777 }))?.node).toBe("n1");
    expect(chosen([aNode("n2"), aNode("n1")], whole, [])?.node).toBe("n1");
  });

  it("the choice of a node has no place for a job that no node holds", () => {
    expect(chosen([], whole)).toBeUndefined();
    expect(chosen([aNode("n1", { memoryMiB: 7_999 })], whole)).toBeUndefined();
    expect(chosen([aNode("n1", { vcpuMilli: 3_999 })], whole)).toBeUndefined();
    expect(chosen([aNode("n1", { gpus: [999, 999] })], whole)).toBeUndefined();
    expect(chosen([aNode("n1")], aNeed({ models: ["b"] }))).toBeUndefined();
  });
});

describe("the expected use of the rest of a GPU", () => {
  const of = (...parts: readonly [number, number][]): Demand => parts.map(([gpuMilli, count]) => ({ need: aNeed({ gpuMilli }), count }));

  it("the expected use is zero if nothing fits", () => {
    const fill = fillOf(of([500, 1]), "a");
    expect(fill[49]).toBe(0);
    expect(fill[50]).toBeGreaterThan(450);
  });

  it("the expected use is small if jobs that fit are rare, and never more than the rest", () => {
    const fill = fillOf(of([160, 1], [wholeGpu, 99]), "a");
    expect(fill[19]).toBeLessThan(100);
    fill.forEach((filled, at) => {
      expect(filled).toBeLessThanOrEqual(10 * at);
    });
  });

  it("the expected use excludes jobs that want another GPU model", () => {
    expect(fillOf([{ need: aNeed({ gpuMilli: 500, models: ["b"] }), count: 1 }], "a")[100]).toBe(0);
  });
});
