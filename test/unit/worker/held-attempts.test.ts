import { expect, test } from "vitest";
import { HeldAttempts } from "../../../lib/worker/attempt/held-attempts.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { runOrder } from "./http-fakes.ts";
import { ManualClock } from "./manual-clock.ts";

/** Held attempts that start nothing real, with the jobs that they started. */
function held() {
  const started: string[] = [];
  const attempts = new HeldAttempts({
    start: ({ job }) => {
      started.push(job);
      return {
        credentialsExpireAtMs: 0,
        renew: () => undefined,
        upload: () => undefined,
        leave: async () => false,
        stop: () => undefined,
        remove: async () => undefined,
      };
    },
    changed: () => undefined,
    clock: new ManualClock(),
    silentForMs: () => 0,
    isUnanswered: () => false,
    log: workerLogInto([]),
  });
  return { attempts, started };
}
const refOf = (n: number) => ({ team: "vision", job: `job-${n}`, attempt: 1 });

test("a node remembers the ten thousand attempts that ended last, and starts none of them again", () => {
  const { attempts, started } = held();
  for (let n = 0; n < 10_001; n++) {
    attempts.note(refOf(n), "ended");
    attempts.forget(refOf(n));
  }
  expect(attempts.isEmpty).toBe(true);
  for (const n of [0, 1, 10_000]) attempts.start(runOrder({}, refOf(n)));
  expect(started).toEqual(["job-0"]);
  expect(attempts.reports().map(({ job, phase }) => [job, phase])).toEqual([
    ["job-1", "stopped"],
    ["job-10000", "stopped"],
  ]);
});
