import { describe, expect, test } from "vitest";
import type { JobClass, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { type Rest, whyWaiting } from "../../../lib/optimizer/search/reasons.ts";

const job = (over: Partial<JobClass> = {}): JobClass => ({ names: ["j"], size: [2, 4], spot: true, ...over });
const offer = (over: Partial<Supply> = {}): Supply => ({
  name: "o",
  type: "o",
  zone: "a",
  market: "spot",
  usdPerHour: 1,
  capacity: [4, 8],
  gpu: { count: 2, model: "t4", memoryGiB: 16 },
  uses: { usd: 1, gpus: 2 },
  ...over,
});
const rest = (over: Partial<Rest> = {}): Rest => ({ limits: new Map(), offers: new Map(), dimensions: ["vcpus", "memoryGiB"], ...over });

describe("the reason of a job that waits", () => {
  test.each<[string, Partial<JobClass>, Partial<Supply>, Partial<Rest>, unknown]>([
    ["its size", { size: [5, 4] }, {}, {}, { kind: "size", of: "vcpus", wanted: 5, there: 4 }],
    ["its memory", { size: [4, 8.1] }, {}, {}, { kind: "size", of: "memoryGiB", wanted: 8.1, there: 8 }],
    ["its GPUs", { gpu: { count: 3 } }, {}, {}, { kind: "gpus", wanted: 3, there: 2 }],
    ["GPUs that the offer has none of", { gpu: { count: 1 } }, { gpu: undefined }, {}, { kind: "gpus", wanted: 1, there: 0 }],
    ["its GPU model", { gpu: { count: 1, models: ["a10g"] } }, {}, {}, { kind: "model" }],
    ["its GPU memory", { gpu: { count: 1, memoryGiB: 24 } }, {}, {}, { kind: "gpu memory", wanted: 24, there: 16 }],
    ["refusing spot", { spot: false }, {}, {}, { kind: "spot" }],
    ["capacity", { nodes: 3 }, {}, { offers: new Map([["o", 2]]) }, { kind: "capacity", wanted: 3, there: 2 }],
    ["a limit", { nodes: 2 }, {}, { limits: new Map([["gpus", 3]]) }, { kind: "limit", of: "gpus", wanted: 4, there: 3 }],
  ])("a job that waits because of %s has that reason alone", (_what, of, on, left, reason) => {
    expect(whyWaiting(job(of), [offer(on)], rest(left)).reasons).toEqual([reason]);
  });

  test("a limit that an offer does not use keeps no job from it, even if nothing of the limit is left", () => {
    const left = rest({
      limits: new Map([
        ["usd", 1],
        ["hosts", 0],
      ]),
    });
    for (const uses of [{ usd: 1 }, { usd: 1, hosts: 0 }]) expect(whyWaiting(job(), [offer({ uses })], left).reasons).toEqual([]);
    expect(whyWaiting(job(), [offer({ uses: undefined })], left).reasons).toEqual([]);
  });

  test("a job that just fits has no reason, and the model's name is compared without case", () => {
    const just = job({ size: [4, 8], nodes: 2, gpu: { count: 2, models: ["T4"], memoryGiB: 16 } });
    const left = rest({ limits: new Map([["gpus", 4]]), offers: new Map([["o", 2]]) });
    expect(whyWaiting(just, [offer()], left).reasons).toEqual([]);
  });

  test("a job has the reasons of the offer that needs the fewest changes, the cheapest of these, and the first by name", () => {
    const far = offer({ name: "far", capacity: [1, 1], usdPerHour: 0.1 });
    const near = offer({ name: "near", capacity: [1, 8], usdPerHour: 3 });
    const cheap = offer({ name: "cheap", capacity: [1, 8], usdPerHour: 2 });
    const also = offer({ name: "also", capacity: [1, 8], usdPerHour: 2 });
    const change = (offers: readonly Supply[]) => whyWaiting(job({ nodes: 2 }), offers, rest()).change;
    expect(change([far, near])).toEqual({ offer: "near", usdPerHour: 6 });
    expect(change([near, cheap, far])).toEqual({ offer: "cheap", usdPerHour: 4 });
    expect(change([cheap, also])).toEqual({ offer: "also", usdPerHour: 4 });
    expect(change([also, cheap])).toEqual({ offer: "also", usdPerHour: 4 });
  });

  test("a job waits for want of offers if there are none", () => {
    expect(whyWaiting(job(), [], rest())).toEqual({ reasons: [{ kind: "no offers" }] });
  });
});
