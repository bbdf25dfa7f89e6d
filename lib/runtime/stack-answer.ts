import { setTimeout as pause } from "node:timers/promises";
import { StackAnswerTo, StackChange } from "../../events/stack-change.ts";
import type { StackOutcome } from "../flows/change-stack.ts";

const tries = 4;
const timeoutMs = 10_000;

/**
 * Has CloudFormation's request done and always answers it, whatever happens: it would wait for an hour. A request that names
 * no place for the answer throws, for then there is nobody to tell.
 */
export async function answerStack(event: unknown, work: (change: StackChange) => Promise<StackOutcome>): Promise<StackOutcome> {
  const to = StackAnswerTo.parse(event);
  const outcome = await doneWith(event, work);
  await answer(to, outcome);
  return outcome;
}

async function doneWith(event: unknown, work: (change: StackChange) => Promise<StackOutcome>): Promise<StackOutcome> {
  const change = StackChange.safeParse(event);
  const physicalId = change.data?.PhysicalResourceId ?? "unknown";
  try {
    if (!change.success) return { status: "FAILED", physicalId, reason: `not a request that is understood here: ${change.error.message}` };
    return await work(change.data);
  } catch (error) {
    return { status: "FAILED", physicalId, reason: error instanceof Error ? error.message : String(error) };
  }
}

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
