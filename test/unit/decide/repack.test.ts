import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { decide } from "../../../lib/decide/decide.ts";
import { firstFit } from "../../../lib/decide/placement/first-fit.ts";
import { gapOf, type Snapshot, type Step } from "../../../lib/model/plan.ts";
import { aCatalogue, anEntry, anOffer, aPool, aSnapshot, aType, monday } from "../../fakes/builders.ts";

const types = [
  aType({ name: "small", resources: { vcpus: 4, memoryGiB: 64, gpus: 0 }, gpu: undefined }),
  aType({ name: "large", resources: { vcpus: 8, memoryGiB: 64, gpus: 0 }, gpu: undefined }),
];
const offers = [anOffer({ instanceType: "small", usdPerHour: 0.6 }), anOffer({ instanceType: "large", usdPerHour: 1 })];
const wanting = (vcpus: number, nth: number) =>
  anEntry({ job: `j${nth}`, submittedAtMs: monday + nth, needs: { vcpus, memoryGiB: 1, gpus: 0 }, gpu: { models: [], memoryGiB: 0 } });

const seen = (over: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({ nowMs: monday + 60_000, queue: [3, 3, 5, 5].map(wanting), catalogue: aCatalogue({ types, offers }), ...over });
const planned = (snapshot: Snapshot) => firstFit(snapshot, [], budgetRoom(snapshot));
const launches = (steps: readonly Step[]) => steps.flatMap((step) => (step.kind === "launch" ? [step.launch] : []));

describe("jobs that share new nodes", () => {
  test("jobs that share new nodes are packed again if first fit costs more", () => {
    const { steps, packed } = planned(seen());
    expect(launches(steps).map(({ count, offers: [offer] }) => `${count} ${offer?.instanceType}`)).toEqual(["2 large"]);
    expect(
      launches(steps)
        .flatMap(({ jobs }) => jobs.map(({ job }) => job))
        .sort(),
    ).toEqual(["j0", "j1", "j2", "j3"]);
    expect(packed?.packing).toMatchObject({ usdPerHour: 2, boundUsdPerHour: 2 });
    expect(packed?.packing.engine).not.toBe("first fit");
  });

  test("a plan reports the cost of its packing, the lower bound and the gap", () => {
    const { packing } = decide(seen({ queue: [wanting(5, 1)] }));
    expect(packing).toMatchObject({ engine: "first fit", usdPerHour: 1, boundUsdPerHour: 1 });
    expect(packing && gapOf(packing)).toBe(0);
    expect(decide(seen({ queue: [] })).packing).toBeUndefined();
  });

  test("a packing never takes more than the pool may reserve, and leaves what it frees to waiting jobs", () => {
    const pool = aPool({ limits: { usdPerHour: 2.2, gpus: 0 } });
    const snapshot = seen({ pool, queue: [3, 3, 5, 4].map(wanting) });
    const { steps, wakeAtMs } = planned(snapshot);
    expect(
      launches(steps)
        .flatMap(({ jobs }) => jobs.map(({ job }) => job))
        .sort(),
    ).toEqual(["j0", "j1", "j2"]);
    expect(launches(steps).reduce((sum, each) => sum + each.reserved.usdPerHour, 0)).toBeCloseTo(1.6, 6);
    // The fourth job had no room before; now there are 0.6 dollars.
    expect(wakeAtMs).toBe(snapshot.nowMs);
  });

  test("jobs of two teams never share a new node", () => {
    const queue = [3, 3, 5, 5].map((vcpus, nth) => ({ ...wanting(vcpus, nth), team: nth % 2 === 0 ? "audio" : "vision" }));
    for (const { team, jobs } of launches(planned(seen({ queue })).steps)) expect(jobs.every((job) => job.team === team)).toBe(true);
  });
});
