import { describe, expect, test } from "vitest";
import { PoolName, TeamName } from "../../../events/names.ts";
import { limitsView } from "../../../lib/api/views/limits.ts";
import { poolView } from "../../../lib/api/views/pool-view.ts";
import { budgetRoom, usedUpFor } from "../../../lib/decide/budget/budget-room.ts";
import { decide } from "../../../lib/decide/decide.ts";
import { whyBeyond } from "../../../lib/decide/limits/why-beyond.ts";
import { inForce, widerInForce } from "../../../lib/decide/overrides/in-force.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { changed, noOverrides, settingsOf } from "../../../lib/model/overrides/overrides.ts";
import type { Snapshot } from "../../../lib/model/plan.ts";
import { own } from "../../../lib/model/values/own.ts";
import { aCatalogue, anEntry, aPool, aSnapshot, monday } from "../../fakes/builders.ts";
import { aWorld } from "./world.ts";

/** What every object inherits: `constructor`, `valueOf`, `__proto__` and others. A look-up by such a name must not find it. */
const inherited = Object.getOwnPropertyNames(Object.prototype);
/** Those that may be the name of a team and a pool. */
const allowed = inherited.filter((name) => [TeamName, PoolName].every((schema) => schema.safeParse(name).success));
const others = { audio: { gpus: 1 } };
const speaker = { kind: "admin" } as const;
const nothing = { usdPerHour: 0, gpus: 0 };
const state = { bell: 0, decidedThrough: 0, epoch: 0, reserved: nothing, busy: false };
const reservedWider = { deployment: nothing, teams: { audio: nothing } };

/** A pool in which another team has limits and budgets, and in which a job of the team waits. */
const seenBy = (team: string, over: Partial<Snapshot> = {}): Snapshot =>
  aSnapshot({
    nowMs: monday,
    pool: aPool({ teamBudgets: { audio: { usdPerDay: 5 } } }),
    queue: [anEntry({ team })],
    spent: { dayUsd: 1, monthUsd: 1, teams: { audio: { dayUsd: 1, monthUsd: 1 } } },
    wider: { limits: { teams: others }, reserved: reservedWider },
    ...over,
  });

test("a name that every object inherits is one that a team and a pool may have", () => {
  expect(allowed).toContain("constructor");
});

describe.each(allowed)("a team and a pool called %s", (name) => {
  test("a job of the team starts in the pool, also with limits and budgets of another team", async () => {
    const world = aWorld({ pool: aPool({ name, teamBudgets: { audio: { usdPerDay: 5 } } }) });
    world.limits = { teamLimits: others };
    const body = JSON.stringify({ id: "valueOf", command: ["x"], gpus: 1 });
    await submitJob(world.submitDeps, { team: name, messageId: "m", body, sentAtMs: world.nowMs });
    await world.workOff();
    expect(world.node).toMatchObject({ pool: name, team: name });
    expect(world.ledger.table.jobs.get(`${name}/valueOf`)).toMatchObject({ state: "placed" });
  });
});

describe.each(inherited)("a team called %s", (team) => {
  test("a launch for the team is decided on, and limits of other teams do not apply to it", () => {
    const { steps } = decide(seenBy(team));
    expect(steps.map((step) => (step.kind === "launch" ? step.launch.team : step.kind))).toEqual([team]);
    expect(whyBeyond(anEntry({ team }), { pool: aPool(), catalogue: aCatalogue(), limits: { teams: others } })).toBeUndefined();
  });

  test("budgets of other teams do not apply to the team, and its own do", () => {
    expect(usedUpFor(budgetRoom(seenBy(team)), team)).toEqual([]);
    const pool = aPool({ teamBudgets: Object.fromEntries([[team, { usdPerDay: 0 }]]) });
    const used = budgetRoom(seenBy(team, { pool }));
    expect(usedUpFor(used, team)).toMatchObject([{ team, usd: 0, usedUsd: 0 }]);
    expect(decide(seenBy(team, { pool })).steps).toMatchObject([{ kind: "hold" }]);
  });

  test("the views show that nothing is reserved and spent by the team", () => {
    const fleet = { teams: [team], teamLimits: others };
    expect(limitsView({ reservedWider }, { fleet, speaker, nowMs: monday }).teams).toEqual([{ team, limits: {}, reserved: nothing }]);
    const pool = aPool({ teamBudgets: Object.fromEntries([[team, { usdPerDay: 2 }]]) });
    const { teamSpending } = poolView({ pool, state, seen: seenBy(team) }, { nowMs: monday, speaker });
    expect(teamSpending).toContainEqual({ team, budgets: { usdPerDay: 2 }, spent: { usdToday: 0, usdThisMonth: 0 } });
  });

  test("a limit and a budget that an admin sets for the team apply to it, and can be unset", () => {
    const given = { by: "Admin/ada", because: undefined, atMs: monday };
    const set = changed(noOverrides, { kind: "set", values: { gpus: 3, usdPerDay: 4 }, team }, given);
    expect(own(widerInForce({ teams: others }, set, monday).teams, team)).toEqual({ gpus: 3 });
    expect(own(inForce(aPool(), set, monday).teamBudgets, team)).toEqual({ usdPerDay: 4 });
    const unset = changed(set, { kind: "unset", names: ["gpus", "usdPerDay"], team }, given);
    expect(settingsOf(unset, team)).toBeUndefined();
  });
});
