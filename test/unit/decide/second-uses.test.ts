import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { availableOffers, emptyBundle, extended } from "../../../lib/decide/placement/bundles.ts";
import { consolidation } from "../../../lib/decide/scaling/consolidation.ts";
import type { QueueEntry } from "../../../lib/model/job.ts";
import type { BootFailure, Node } from "../../../lib/model/node.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import type { Resources } from "../../../lib/model/values/resources.ts";
import { aCatalogue, aNode, anAssignment, anEntry, anOffer, aPool, aSnapshot, aType, monday } from "../../fakes/builders.ts";

const minute = 60_000;

describe("a job that joins another one on a node of a half-open breaker", () => {
  const big = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
  const nowMs = monday + 60 * minute;
  const failures = ["a", "b", "c"].map(
    (node, n): BootFailure => ({ node, instanceType: big.name, zone: "us-east-1a", atMs: nowMs - 15 * minute - n }),
  );
  const one = anEntry({ job: "one", needs: { vcpus: 2, memoryGiB: 4, gpus: 1 } });
  const two = { ...one, job: "two" };
  const three = anEntry({ job: "three", needs: { vcpus: 2, memoryGiB: 4, gpus: 4 } });
  /** Returns the jobs as they wait in this order. */
  const inOrder = (...jobs: readonly QueueEntry[]) => jobs.map((job, n) => ({ ...job, submittedAtMs: monday + n }));
  const snapshot = aSnapshot({
    nowMs,
    pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }),
    // The first gets a small node. The second is cheaper together with it on a big one. The third needs a big one of its own.
    queue: inOrder(one, two, three),
    catalogue: aCatalogue({ types: [aType(), big], offers: [anOffer(), anOffer({ instanceType: big.name, usdPerHour: 0.9 })] }),
  });
  const bigNodes = (seen: Snapshot): number =>
    decide(seen)
      .steps.flatMap((step) => (step.kind === "launch" ? [step.launch] : []))
      .filter(({ offers }) => offers.some(({ instanceType }) => instanceType === big.name))
      .reduce((sum, { count }) => sum + count, 0);

  test.each([
    ["before", inOrder(one, two, three)],
    ["after", inOrder(one, three, two)],
  ])("one plan tries a half-open breaker once, even if a job joins another one there %s a third job needs it", (_when, queue) => {
    expect(bigNodes({ ...snapshot, queue })).toBe(2);
    expect(bigNodes({ ...snapshot, queue, bootFailures: failures })).toBe(1);
  });
});

describe("packing jobs again", () => {
  const big = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
  const nowMs = monday + 60 * minute;
  // A big node costs more than one job saves, but less than four small nodes.
  const snapshot = aSnapshot({
    nowMs,
    pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }),
    queue: Array.from({ length: 8 }, (_, n) => anEntry({ job: `j${n}`, needs: { vcpus: 2, memoryGiB: 4, gpus: 1 } })),
    catalogue: aCatalogue({ types: [aType(), big], offers: [anOffer(), anOffer({ instanceType: big.name, usdPerHour: 1.9 })] }),
  });
  const types = (bootFailures: readonly BootFailure[]) =>
    decide({ ...snapshot, bootFailures }).steps.flatMap((step) =>
      step.kind === "launch" ? step.launch.types.map(({ name }) => `${step.launch.count} ${name}`) : [],
    );

  test("jobs are packed on fewer, larger nodes if that is cheaper, but never on types that did not boot", () => {
    const failures = ["a", "b", "c"].map(
      (node, n): BootFailure => ({ node, instanceType: big.name, zone: "us-east-1a", atMs: nowMs - 15 * minute - n }),
    );
    expect(types([])).toEqual(["2 g5.12xlarge"]);
    expect(types(failures)).toEqual(["8 g5.xlarge"]);
  });
});

describe("the offers of a bundle whose cheapest offers were all refused", () => {
  const offersAt = (usdPerHour: number, count: number) =>
    Array.from({ length: count }, (_, n) => anOffer({ zone: `z${usdPerHour}-${String(n).padStart(2, "0")}`, usdPerHour }));
  const prices = (refused: number, dear: number) => {
    const from = availableOffers([aType()], [...offersAt(1, refused), ...offersAt(4, dear)], ({ usdPerHour }) =>
      usdPerHour === 1 ? "half-open" : "free",
    );
    const bundle = extended(emptyBundle("vision", from), anEntry(), { usdPerHour: 100, gpus: 100 });
    return typeof bundle === "object" ? bundle.offers.map(({ usdPerHour }) => usdPerHour) : [];
  };

  test("twelve refused offers and twelve that were not refused are requested if there are more of both", () => {
    expect(prices(30, 30)).toEqual([...new Array(12).fill(1), ...new Array(12).fill(4)]);
  });

  test("all offers are requested if there are few", () => {
    expect(prices(3, 2)).toEqual([1, 1, 1, 4, 4]);
  });

  test("at most twenty-four are requested if every offer was refused", () => {
    expect(prices(30, 0)).toEqual(new Array(24).fill(1));
  });
});

describe("the order and the price of a consolidation", () => {
  const nowMs = monday + 600 * minute;
  const pool = aPool({ consolidateSeconds: 600, shared: true });
  const type = aType({ resources: { vcpus: 8, memoryGiB: 32, gpus: 8 } });
  const node = (id: string, usdPerHour: number, needs: readonly Partial<Resources>[], over: Partial<Node> = {}): Node =>
    aNode({
      id,
      team: undefined,
      type,
      offer: anOffer({ usdPerHour }),
      launchedAtMs: monday,
      readyAtMs: monday,
      lastBusyMs: monday,
      assignments: needs.map((each, n) =>
        anAssignment({ job: `${id}-${n}`, phase: "running", needs: { vcpus: 1, memoryGiB: 1, gpus: 0, ...each } }),
      ),
      ...over,
    });
  const drained = (nodes: readonly Node[], most = 1) => consolidation(nodes, pool, { nowMs, most }).map((step) => step.node);

  test("the dearest node is drained first, and the one with the smaller name of two that cost the same", () => {
    expect(drained([node("a", 1, [{}]), node("b", 9, [{}]), node("c", 5, [{}])])).toEqual(["b"]);
    expect(drained([node("b", 9, [{}]), node("a", 9, [{}]), node("c", 1, [{}])])).toEqual(["a"]);
  });

  test.each<[string, Partial<Resources>]>([
    ["vCPUs", { vcpus: 5 }],
    ["memory", { memoryGiB: 20 }],
    ["GPUs", { gpus: 5 }],
  ])("a node whose %s are mostly in use is not drained, because as much would be lost as is saved", (_what, needs) => {
    expect(drained([node("a", 9, [needs]), node("b", 1, [{}])])).toEqual(["b"]);
    expect(drained([node("a", 9, [{ vcpus: 3 }]), node("b", 1, [{}])])).toEqual(["a"]);
  });

  test("the largest job of a node that is drained chooses its new node first", () => {
    // A room of five GPUs and one of three: only if the job of four goes first do both jobs fit.
    const dear = node("a", 9, [{ gpus: 2 }, { gpus: 4 }], { type: aType({ resources: { vcpus: 64, memoryGiB: 256, gpus: 16 } }) });
    const first = node("b", 1, [{ gpus: 3 }]);
    const second = node("c", 1, [{ gpus: 6 }]);
    expect(drained([dear, first, second])).toEqual(["a"]);
  });
});
