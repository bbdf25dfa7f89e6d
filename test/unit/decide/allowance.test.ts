import { describe, expect, it } from "vitest";
import { allowanceOf, allowed, leftOf, nearestLimit, unreserved, without } from "../../../lib/decide/limits/allowance.ts";
import { aPool, aSnapshot } from "../../fakes/builders.ts";

const infinite = Number.POSITIVE_INFINITY;
const seen = aSnapshot({
  pool: aPool({ limits: { usdPerHour: 10, gpus: 8 } }),
  reserved: { usdPerHour: 4, gpus: 2 },
  wider: {
    limits: { deployment: { gpus: 20 }, teams: { vision: { usdPerHour: 5 }, research: { usdPerHour: 6, gpus: 3 } } },
    reserved: { deployment: { usdPerHour: 9, gpus: 15 }, teams: { research: { usdPerHour: 1, gpus: 1 } } },
  },
});
const whole = allowanceOf(seen);

describe("what the limits leave", () => {
  it("each limit leaves what is not reserved of it, and a part without a limit is infinite", () => {
    expect(whole).toEqual({
      pool: { usdPerHour: 6, gpus: 6 },
      deployment: { usdPerHour: infinite, gpus: 5 },
      teams: { vision: { usdPerHour: 5, gpus: infinite }, research: { usdPerHour: 5, gpus: 2 } },
    });
    const boundless = { usdPerHour: infinite, gpus: infinite };
    expect(allowanceOf(aSnapshot({ pool: seen.pool }))).toEqual({ pool: { usdPerHour: 10, gpus: 8 }, deployment: boundless, teams: {} });
  });

  it("the limits leave all that they allow if nothing were reserved", () => {
    expect(unreserved(seen)).toEqual({
      pool: { usdPerHour: 10, gpus: 8 },
      deployment: { usdPerHour: infinite, gpus: 20 },
      teams: { vision: { usdPerHour: 5, gpus: infinite }, research: { usdPerHour: 6, gpus: 3 } },
    });
  });

  it("a launch may reserve the least that any of its limits leaves", () => {
    expect(allowed(whole, "research")).toEqual({ usdPerHour: 5, gpus: 2 });
    expect(allowed(whole, "audio")).toEqual({ usdPerHour: 6, gpus: 5 });
    expect(allowed(whole, undefined)).toEqual({ usdPerHour: 6, gpus: 5 });
  });

  it("a reservation of a team reduces the limits of the pool, the deployment and that team, and no other team's", () => {
    const reserved = { usdPerHour: 2, gpus: 1 };
    const shared = { pool: { usdPerHour: 4, gpus: 5 }, deployment: { usdPerHour: infinite, gpus: 4 } };
    expect(without(whole, "research", reserved)).toEqual({
      ...shared,
      teams: { vision: { usdPerHour: 5, gpus: infinite }, research: { usdPerHour: 3, gpus: 1 } },
    });
    for (const team of ["audio", undefined]) expect(without(whole, team, reserved)).toEqual({ ...shared, teams: whole.teams });
  });

  it("the nearest limit that leaves too little is the pool's, then the team's, then the deployment's", () => {
    const needs = (gpus: number, usdPerHour = 0) =>
      nearestLimit(whole, "research", (room) => room.gpus >= gpus && room.usdPerHour >= usdPerHour);
    expect([needs(7), needs(3), needs(1, 5.5), needs(2)]).toEqual(["pool", "team", "team", "pool"]);
    expect(nearestLimit(whole, "audio", ({ gpus }) => gpus >= 6)).toBe("deployment");
    expect(leftOf(whole, "team", "audio")).toEqual({ usdPerHour: infinite, gpus: infinite });
  });
});
