import fc from "fast-check";
import { expect, test } from "vitest";
import { capacityView } from "../../lib/decide/capacity/capacity-view.ts";
import { halfOpenProbe, refusedAgain, statusOf } from "../../lib/decide/capacity/cooldown.ts";
import { decide } from "../../lib/decide/decide.ts";
import { type Refusal, type Refused, type Subject, subjectName } from "../../lib/model/refusal.ts";
import { monday } from "../fakes/builders.ts";
import { stormRuns } from "./storm-runs.ts";
import { snapshot } from "./worlds.ts";

const offer = { instanceType: "g5.xlarge", zone: "a", market: "spot" } as const;
const subject = fc.constantFrom<Subject>(
  { why: "capacity", ...offer },
  { why: "limit", region: "us-east-1", market: "spot", quota: "All G and VT Spot Instance Requests" },
  { why: "fault", pool: "gpu", ...offer },
);
const refused = (about: Subject, launch: string, least = 1): Refused => ({ subject: about, code: "no", least, launch });
/** Returns a refusal that was repeated at these moments, in order. */
const history = fc
  .record({ subject, gaps: fc.array(fc.integer({ min: 0, max: 7_200_000 }), { minLength: 1, maxLength: 12, size: "max" }) })
  .map(({ subject: about, gaps }) => {
    let atMs = monday;
    return gaps.reduce<Refusal | undefined>((known, gap, n) => {
      atMs += gap;
      return refusedAgain(known, refused(about, `launch-${n}`), atMs);
    }, undefined);
  })
  .filter((known) => known !== undefined);

const order = ["cooling-down", "half-open", "free"] as const;

test("a refusal first rests, then may be tried, then is forgotten, and time never reverses that", () => {
  fc.assert(
    fc.property(history, fc.array(fc.integer({ min: 0, max: 90_000_000 }), { minLength: 2, maxLength: 8 }), (known, later) => {
      const seen = [...later].sort((a, b) => a - b).map((ms) => order.indexOf(statusOf(known, known.atMs + ms)));
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(statusOf(known, known.atMs + 86_400_000)).toBe("free");
    }),
  );
});

test("a rest is never zero and never longer than its rule allows, however often the offer was refused", () => {
  const longest = { capacity: 480_000 + 240_000, limit: 1_200_000, fault: 300_000 } as const;
  fc.assert(
    fc.property(history, (known) => {
      const rest = known.untilMs - known.atMs;
      expect(rest).toBeGreaterThan(20_000);
      expect(rest).toBeLessThanOrEqual(longest[known.why] * 1.15 + 1);
    }),
  );
});

test("one more refusal never ends a rest sooner or lowers the evidence", () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 0, max: 3_600_000 }), (known, ms) => {
      const atMs = known.atMs + ms;
      const again = refusedAgain(known, refused(known, "again"), atMs);
      expect(again.untilMs).toBeGreaterThanOrEqual(Math.min(known.untilMs, atMs));
      expect(again.evidence).toBeGreaterThanOrEqual(1);
      if (statusOf(known, atMs) === "cooling-down") expect(again.untilMs).toBeGreaterThanOrEqual(known.untilMs);
    }),
  );
});

test("only one launch per minute may try an offer after its rest, and none before", () => {
  fc.assert(
    fc.property(history, fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 60 }), (known, waits) => {
      let now: Refusal = known;
      const tries: number[] = [];
      for (const at of waits.map((ms) => known.untilMs - 30_000 + ms).sort((a, b) => a - b)) {
        const mine = halfOpenProbe(now, at);
        if (!mine) continue;
        tries.push(at);
        now = mine;
      }
      for (const at of tries) expect(at).toBeGreaterThanOrEqual(known.untilMs);
      for (const [n, at] of tries.entries()) if (n > 0) expect(at - (tries[n - 1] ?? 0)).toBeGreaterThanOrEqual(60_000);
    }),
  );
});

test("a plan tries an offer after its rest with at most one launch, and requests no resting offer", () => {
  let tried = 0;
  fc.assert(
    fc.property(snapshot, (seen) => {
      const known = capacityView(seen.refusals, seen.nowMs);
      const probes: string[] = [];
      for (const step of decide(seen).steps) {
        // A replacement claims the right to try when it is carried out, as launches of two pools do.
        if (step.kind !== "launch" || step.launch.replaces !== undefined) continue;
        const { launch } = step;
        const subjects = launch.offers.flatMap((each) => {
          const type = launch.types.find(({ name }) => name === each.instanceType);
          if (!type) throw new Error("an offer without its shape");
          return known.against({ offer: each, type, count: launch.whole ? launch.count : 1 });
        });
        for (const each of subjects) expect(statusOf(each, seen.nowMs)).toBe("half-open");
        probes.push(...new Set(subjects.map(subjectName)));
      }
      expect(new Set(probes).size).toBe(probes.length);
      tried += probes.length;
    }),
    { numRuns: stormRuns(10_000) },
  );
  // Some must be, because otherwise nothing was tested.
  expect(tried).toBeGreaterThan(0);
});
