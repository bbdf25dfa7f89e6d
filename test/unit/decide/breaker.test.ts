import { describe, expect, test } from "vitest";
import { decide } from "../../../lib/decide/decide.ts";
import { heal } from "../../../lib/decide/health/breaker.ts";
import { breakers } from "../../../lib/model/breaker.ts";
import type { BootFailure } from "../../../lib/model/node.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aCatalogue, aLaunch, aNode, anEntry, anOffer, aSnapshot, aType, monday } from "../../fakes/builders.ts";

const now = monday + 3_600_000;
const minute = 60_000;
const failed = (node: string, agoMs: number, over: Partial<BootFailure> = {}): BootFailure => ({
  node,
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  atMs: now - agoMs,
  ...over,
});
const three = (agoMs: number) => [failed("a", agoMs + 2), failed("b", agoMs + 1), failed("c", agoMs)];
const seen = (over: Partial<Snapshot> = {}): Snapshot => aSnapshot({ nowMs: now, queue: [anEntry()], ...over });
const state = (over: Partial<Snapshot>) => breakers(seen(over)).map((each) => each.state);

describe("a breaker", () => {
  test("a breaker opens after the third failure of one type in one zone within an hour", () => {
    expect(state({ bootFailures: three(0).slice(1) })).toEqual([]);
    expect(breakers(seen({ bootFailures: three(0) }))).toEqual([
      { instanceType: "g5.xlarge", zone: "us-east-1a", failures: 3, state: "open", openUntilMs: now + 15 * minute },
    ]);
    expect(state({ bootFailures: [...three(0).slice(1), failed("d", 0, { zone: "us-east-1b" })] })).toEqual([]);
    expect(state({ bootFailures: [...three(0).slice(1), failed("d", 0, { instanceType: "g5.2xlarge" })] })).toEqual([]);
    expect(state({ bootFailures: [...three(0).slice(1), failed("d", 60 * minute)] })).toEqual([]);
    expect(state({ bootFailures: [...three(0).slice(1), failed("d", 60 * minute - 1)] })).toEqual(["open"]);
  });

  test("a breaker is half-open after a rest, until an instance of its type and zone is tried", () => {
    expect(state({ bootFailures: three(15 * minute - 1) })).toEqual(["open"]);
    const bootFailures = three(15 * minute);
    expect(state({ bootFailures })).toEqual(["half-open"]);
    expect(state({ bootFailures, nodes: [aNode({ state: "launching", readyAtMs: undefined })] })).toEqual(["open"]);
    expect(state({ bootFailures, openLaunches: [aLaunch()] })).toEqual(["open"]);
    const elsewhere = anOffer({ zone: "us-east-1b" });
    expect(state({ bootFailures, nodes: [aNode({ state: "launching", offer: elsewhere })] })).toEqual(["half-open"]);
    expect(state({ bootFailures: [...bootFailures, failed("probe", 0)] })).toEqual(["open"]);
  });

  test("a breaker closes when a later instance has become a worker, and is then forgotten", () => {
    const bootFailures = three(20 * minute);
    const worker = aNode({ readyAtMs: now - minute });
    expect(state({ bootFailures, nodes: [worker] })).toEqual([]);
    expect(heal(seen({ bootFailures, nodes: [worker] }))).toMatchObject([{ kind: "heal", nodes: ["a", "b", "c"] }]);
    const before = aNode({ readyAtMs: now - 30 * minute });
    expect(state({ bootFailures, nodes: [before] })).toEqual(["half-open"]);
    expect(heal(seen({ bootFailures, nodes: [before] }))).toEqual([]);
    const other = aNode({ readyAtMs: now, offer: anOffer({ zone: "us-east-1b" }) });
    expect(state({ bootFailures, nodes: [other] })).toEqual(["half-open"]);
  });
});

describe("a job and a breaker", () => {
  const elsewhere = anOffer({ zone: "us-east-1b", usdPerHour: 0.7 });
  const launched = (over: Partial<Snapshot>) =>
    decide(seen(over)).steps.flatMap((step) => (step.kind === "launch" ? [step.launch.offers.map(({ zone }) => zone).join()] : []));

  test("a job gets a more expensive node elsewhere while a breaker is open", () => {
    const catalogue = aCatalogue({ offers: [anOffer(), elsewhere] });
    expect(launched({ catalogue })).toEqual(["us-east-1a,us-east-1b"]);
    expect(launched({ catalogue, bootFailures: three(0) })).toEqual(["us-east-1b"]);
  });

  test("a job waits if there is no other offer, its reason names the types and the image that do not boot, and the pool wakes when it may try again", () => {
    const { steps, wakeAtMs } = decide(seen({ bootFailures: three(0) }));
    expect(steps).toEqual([
      {
        kind: "hold",
        entry: anEntry(),
        because:
          "instances of g5.xlarge in us-east-1a (3 times) did not boot with the image of pool gpu's launch template; they are tried again, one at a time",
      },
    ]);
    expect(wakeAtMs).toBe(now + 15 * minute);
  });

  test("one job tries a half-open breaker, and the others wait for the result", () => {
    const queue = ["one", "two", "three"].map((job) => anEntry({ job, needs: { vcpus: 3, memoryGiB: 1, gpus: 1 } }));
    const { steps } = decide(seen({ queue, bootFailures: three(15 * minute) }));
    expect(steps.map(({ kind }) => kind).sort()).toEqual(["hold", "hold", "launch"]);
    expect(launched({ queue })).toHaveLength(1);
  });

  test("a breaker does not delay a job that needs another type", () => {
    const big = aType({ name: "g5.12xlarge", resources: { vcpus: 48, memoryGiB: 192, gpus: 4 } });
    const catalogue = aCatalogue({ types: [aType(), big], offers: [anOffer(), anOffer({ instanceType: "g5.12xlarge", usdPerHour: 5 })] });
    expect(decide(seen({ catalogue, bootFailures: three(0) })).steps).toMatchObject([
      { kind: "launch", launch: { offers: [{ instanceType: "g5.12xlarge" }] } },
    ]);
  });
});
