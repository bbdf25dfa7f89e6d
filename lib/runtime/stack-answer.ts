import { setTimeout as pause } from "node:timers/promises";
import { StackAnswerTo, StackChange } from "../../events/stack-change.ts";
import type { StackOutcome } from "../flows/change-stack.ts";
import { inWords } from "../model/errors/in-words.ts";

const tries = 4;
const timeoutMs = 10_000;

/**
 * Has CloudFormation's request done and always answers it, whatever happens: it would wait for an hour. A request that names
 * no place for the answer throws, because then it cannot be answered. `onError` is called with what the work threw.
 */
export async function answerStack(
  event: unknown,
  work: (change: StackChange) => Promise<StackOutcome>,
  onError: (error: unknown) => void,
): Promise<StackOutcome> {
  const to = StackAnswerTo.parse(event);
  const outcome = await doneWith(event, work).catch((error: unknown): StackOutcome => {
    onError(error);
    return failed(event, inWords(error));
  });
  await answer(to, outcome);
  return outcome;
}

async function doneWith(event: unknown, work: (change: StackChange) => Promise<StackOutcome>): Promise<StackOutcome> {
  const change = StackChange.safeParse(event);
  return change.success ? work(change.data) : failed(event, `not a request that is understood here: ${inWords(change.error)}`);
}

const failed = (event: unknown, reason: string): StackOutcome => ({
  status: "FAILED",
  physicalId: StackChange.safeParse(event).data?.PhysicalResourceId ?? "unknown",
  reason,
});

async function answer(to: StackAnswerTo, { status, physicalId, reason }: StackOutcome): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = to;
  const body = JSON.stringify({
    Status: status,
    Reason: (reason ?? "").slice(0, 3_000),
    PhysicalResourceId: physicalId,
    StackId,
    RequestId,
    LogicalResourceId,
  });
  for (let n = 1; ; n += 1) {
    try {
      // The URL is signed for a body without a type.
      const headers = { "content-type": "" };
      const { ok, status: code } = await fetch(to.ResponseURL, { method: "PUT", body, headers, signal: AbortSignal.timeout(timeoutMs) });
      if (ok) return;
      throw new Error(`CloudFormation's answer URL said ${code}`);
    } catch (error) {
      if (n === tries) throw error;
      await pause(1_000 * n * Math.random());
    }
  }
}
