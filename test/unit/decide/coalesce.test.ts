import { describe, expect, test } from "vitest";
import { type AvailableOffers, availableOffers, type Bundle, emptyBundle, extended } from "../../../lib/decide/placement/bundles.ts";
import { launchesOf } from "../../../lib/decide/placement/coalesce.ts";
import type { QueueEntry } from "../../../lib/model/job.ts";
import { anEntry, anOffer, aPool, aType } from "../../fakes/builders.ts";

const pool = aPool();
const room = { usdPerHour: 1e6, gpus: 1e6 };
const large = aType({ name: "g5.48xlarge", resources: { vcpus: 192, memoryGiB: 768, gpus: 8 } });
const zones = [anOffer({ usdPerHour: 1 }), anOffer({ zone: "us-east-1b", usdPerHour: 1.2 })];
const from = availableOffers([aType(), large], [...zones, anOffer({ instanceType: "g5.48xlarge", usdPerHour: 16 })], () => "free");

function bundle(entries: readonly QueueEntry[], of: { from?: AvailableOffers; team?: string } = {}): Bundle {
  const [first] = entries;
  const made = entries.reduce<Bundle | "nothing" | "limit">(
    (open, entry) => (typeof open === "object" ? extended(open, entry, room) : open),
    emptyBundle(of.team ?? "vision", of.from ?? from, first?.nodes),
  );
  if (typeof made !== "object") throw new Error(made);
  return made;
}
const single = (job: string, of: { from?: AvailableOffers; team?: string } = {}) => bundle([anEntry({ job })], of);
const described = (bundles: readonly Bundle[]) =>
  launchesOf(bundles, pool).map(
    ({ launch }) => `${launch.count}${launch.whole ? " whole" : ""}: ${launch.jobs.map(({ job }) => job).join("+")}`,
  );

describe("launches of bundles", () => {
  test("bundles with the same offers become one launch, even if they are not next to each other", () => {
    const other = bundle([anEntry({ job: "large", needs: { vcpus: 90, memoryGiB: 8, gpus: 8 } })]);
    expect(described([single("a"), other, single("b"), single("c")])).toEqual(["3: a+b+c", "1: large"]);
  });

  test("a joined launch reserves the most expensive offer per node, and its reason says how many jobs wait", () => {
    const [step] = launchesOf([single("a"), single("b")], pool);
    expect(step?.launch).toMatchObject({ offers: zones, reserved: { usdPerHour: 2.4, gpus: 2 }, team: "vision", market: "spot" });
    expect(step?.because).toBe("2 jobs wait for 2 nodes; g5.xlarge spot at $1/h is the cheapest that holds them");
  });

  test("bundles of different teams are launched separately", () => {
    expect(described([single("a"), single("b", { team: "audio" })])).toEqual(["1: a", "1: b"]);
  });

  test("bundles with different offers are launched separately, as when the limits leave too little for more expensive ones", () => {
    const less = availableOffers([aType()], zones.slice(0, 1), () => "free");
    expect(described([single("a"), single("b", { from: less })])).toEqual(["1: a", "1: b"]);
  });

  test("a gang's bundle is never joined with others", () => {
    const gang = (job: string) => bundle([anEntry({ job, nodes: 3 })]);
    expect(described([gang("g"), single("a"), gang("h"), single("b")])).toEqual(["3 whole: g", "2: a+b", "3 whole: h"]);
    const [step] = launchesOf([gang("g")], pool);
    expect(step?.launch.reserved).toEqual({ usdPerHour: 3.6, gpus: 3 });
    expect(step?.because).toMatch(/^a gang of 3 waits; /);
  });

  test("a joined launch has at most forty nodes, because its outcome is recorded in one transaction", () => {
    const counts = launchesOf(
      Array.from({ length: 81 }, (_, n) => single(`job-${n}`)),
      pool,
    ).map(({ launch }) => launch.count);
    expect(counts).toEqual([40, 40, 1]);
  });

  test("a joined launch has at most a thousand jobs, because its item names them all", () => {
    const wide = availableOffers([aType({ resources: { vcpus: 400, memoryGiB: 1600, gpus: 0 } })], zones, () => "free");
    const small = { vcpus: 1, memoryGiB: 1, gpus: 0 };
    const full = (n: number) =>
      bundle(
        Array.from({ length: 200 }, (_, at) => anEntry({ job: `${n}-${at}`.padEnd(100, "x"), team: "t".repeat(30), needs: small })),
        { from: wide },
      );
    const launches = launchesOf(
      Array.from({ length: 7 }, (_, n) => full(n)),
      pool,
    );
    expect(launches.map(({ launch }) => launch.count)).toEqual([5, 2]);
    expect(JSON.stringify(launches[0]?.launch).length).toBeLessThan(300_000);
  });
});
