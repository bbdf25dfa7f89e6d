import { describe, expect, test } from "vitest";
import { budgetRoom } from "../../../lib/decide/budget/budget-room.ts";
import { allowanceOf } from "../../../lib/decide/limits/allowance.ts";
import { whyLimited } from "../../../lib/decide/limits/in-words.ts";
import { firstFit } from "../../../lib/decide/placement/first-fit.ts";
import type { Reservation } from "../../../lib/model/launch.ts";
import type { Limits } from "../../../lib/model/limits.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { aCatalogue, anEntry, anOffer, aPool, aRefusal, aSnapshot, aType, monday } from "../../fakes/builders.ts";

const seen = (over: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({
    pool: aPool({ limits: { usdPerHour: 40, gpus: 16 } }),
    reserved: { usdPerHour: 2.58, gpus: 10 },
    queue: [anEntry()],
    ...over,
  });
const why = (needed: Reservation, over: Partial<Snapshot> = {}): string => {
  const snapshot = seen(over);
  return whyLimited({ team: "vision", least: { instanceType: "g6.48xlarge", needed }, allowance: allowanceOf(snapshot) }, snapshot);
};
const wider = (limits: { deployment?: Limits; team?: Limits }, reserved: Reservation): Snapshot["wider"] => ({
  limits: { deployment: limits.deployment, teams: limits.team ? { vision: limits.team } : {} },
  reserved: { deployment: reserved, teams: { vision: reserved } },
});

describe("a job that waits for a limit", () => {
  test("a waiting job's reason names only what is in the way: GPUs, if there are enough dollars", () => {
    expect(why({ usdPerHour: 16.288, gpus: 8 })).toBe(
      "the job needs 8 GPUs more, and pool gpu has 10 of its 16 GPUs reserved; it starts when other work ends or the limit is raised",
    );
  });

  test("a waiting job's reason rounds dollars so that they never seem to leave room", () => {
    const reserved = { usdPerHour: 27.3, gpus: 1 };
    expect(why({ usdPerHour: 16.288, gpus: 8 }, { reserved })).toBe(
      "the job needs $16.29/h more, and pool gpu has at least $26/h of its $40/h reserved; it starts when other work ends or the limit is raised",
    );
    expect(why({ usdPerHour: 13, gpus: 1 }, { reserved })).toContain("has more than $27/h of its $40/h reserved");
  });

  test("a waiting job's reason stays the same while little changes, so that thousands of jobs cost no writes", () => {
    const reasons = [26, 26.4, 27.9].map((usdPerHour) => why({ usdPerHour: 16.288, gpus: 1 }, { reserved: { usdPerHour, gpus: 1 } }));
    expect(new Set(reasons.slice(1)).size).toBe(1);
  });

  test("a waiting job's reason names dollars and GPUs if both are in the way", () => {
    expect(why({ usdPerHour: 38, gpus: 8 })).toBe(
      "the job needs $38/h and 8 GPUs more, and pool gpu has more than $2/h of its $40/h and 10 of its 16 GPUs reserved; it starts when other work ends or the limit is raised",
    );
  });

  test("a waiting job's reason names whose limit is in the way", () => {
    expect(why({ usdPerHour: 1, gpus: 1 }, { wider: wider({ team: { gpus: 2 } }, { usdPerHour: 2, gpus: 2 }) })).toMatch(
      /^the job needs 1 GPU more, and team vision has 2 of its 2 GPUs reserved; it starts when other work of the team ends/,
    );
    expect(why({ usdPerHour: 1, gpus: 1 }, { wider: wider({ deployment: { usdPerHour: 2 } }, { usdPerHour: 2, gpus: 2 }) })).toMatch(
      /^the job needs \$1\/h more, and the whole deployment has \$2\/h of its \$2\/h reserved/,
    );
  });

  test("a waiting job's reason names the refusal, and not other work, if what the job could afford was refused", () => {
    const large = aType({ name: "g6.48xlarge", resources: { vcpus: 192, memoryGiB: 768, gpus: 8 } });
    const catalogue = aCatalogue({
      types: [aType(), large],
      offers: [anOffer(), anOffer({ instanceType: "g6.48xlarge", market: "on-demand", usdPerHour: 16.288 })],
    });
    const snapshot = seen({
      pool: aPool({ limits: { usdPerHour: 10, gpus: 16 } }),
      catalogue,
      reserved: { usdPerHour: 2.58, gpus: 1 },
      refusals: [aRefusal({ untilMs: monday + 60_000 })],
    });
    const { steps } = firstFit(snapshot, [], budgetRoom(snapshot));
    expect(steps).toMatchObject([
      {
        kind: "hold",
        because:
          "the cheapest that EC2 has for the job now, g6.48xlarge, costs $16.29/h and 8 GPUs, and pool gpu is limited to $10/h and 16 GPUs; cheaper types are not available now, and are requested again within minutes",
      },
    ]);
  });
});
