import { expect, test } from "vitest";
import { sealAttempt } from "../../../lib/flows/seal-attempt.ts";
import { sealAgain } from "../../../lib/flows/tick/seal-again.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { AttemptRef } from "../../../lib/model/job.ts";
import { pauseSeconds } from "../../../lib/model/queue/message-retries.ts";
import { aJob, monday } from "../../fakes/builders.ts";
import { aWorld } from "./world.ts";

const minute = 60_000;

test("500 attempts that cannot be sealed for an hour cause at most 5,000 deliveries and 500 messages, and all are sealed within 15 minutes of the end", async () => {
  const world = aWorld();
  const { artifacts } = world.ports;
  const attempts = Array.from({ length: 500 }, (_, n): AttemptRef => ({ team: "vision", job: `j${n}`, attempt: 1 }));
  for (const { job } of attempts) {
    world.ledger.table.putJob({ ...aJob({ job, state: "running" }), bodyHash: job });
    world.ledger.table.moveJob(aJob({ job, state: "running" }), { state: "sealing" }, { atMs: monday });
    artifacts.upload({ team: "vision", job, attempt: 1 }, { "model.pt": job });
  }
  const isDisabled = () => world.nowMs < monday + 60 * minute;
  const refusing = {
    ...world.deps,
    artifacts: {
      uploaded: artifacts.uploaded.bind(artifacts),
      sealedList: artifacts.sealedList.bind(artifacts),
      sealList: artifacts.sealList.bind(artifacts),
      seal: (...of: Parameters<typeof artifacts.seal>) =>
        isDisabled() ? Promise.reject(new FleetError("denied", "the key is disabled", { retry: true })) : artifacts.seal(...of),
    },
  };
  // SQS and Lambda: each message is delivered again after its pause, until it is handled.
  let messages = 0;
  let deliveries = 0;
  const waiting: { readonly attempt: AttemptRef; readonly received: number; readonly atMs: number }[] = [];
  const send = async (attempt: AttemptRef): Promise<void> => {
    messages += 1;
    waiting.push({ attempt, received: 0, atMs: world.nowMs });
  };
  for (const attempt of attempts) await send(attempt);
  world.nowMs = monday;
  for (; world.nowMs <= monday + 75 * minute; world.nowMs += 5_000) {
    const due = waiting.filter(({ atMs }) => atMs <= world.nowMs);
    for (const message of due) {
      waiting.splice(waiting.indexOf(message), 1);
      deliveries += 1;
      const received = message.received + 1;
      const again = () => void waiting.push({ ...message, received, atMs: world.nowMs + pauseSeconds("seal", received, 0) * 1000 });
      await sealAttempt(refusing, message.attempt).catch(again);
    }
    if ((world.nowMs - monday) % minute === 0) await sealAgain({ ...world.deps, sealAgain: { send } });
    if (world.nowMs === monday + 30 * minute)
      expect(world.job("j0")).toMatchObject({
        state: "sealing",
        reason: "its results could not be sealed yet: the key is disabled; they are kept, and this is tried again",
      });
  }
  expect(messages).toBe(500);
  expect(deliveries).toBeLessThanOrEqual(5_000);
  expect(attempts.every(({ job }) => world.job(job)?.state === "succeeded")).toBe(true);
  expect(world.job("j0")?.reason).toBeUndefined();
});
