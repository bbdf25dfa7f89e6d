import { setTimeout as pause } from "node:timers/promises";
import { StackCallback, StackChange } from "../../events/stack-change.ts";
import type { StackOutcome } from "../flows/change-stack.ts";
import { inWords } from "../model/errors/in-words.ts";

const tries = 4;
const timeoutMs = 10_000;

/**
 * Carries out CloudFormation's request and always responds to it, because CloudFormation would otherwise wait for an hour.
 * Throws if the request names no URL for the response. `onError` is called with the error that the work threw.
 */
export async function handleStackChange(
  event: unknown,
  work: (change: StackChange) => Promise<StackOutcome>,
  onError: (error: unknown) => void,
): Promise<StackOutcome> {
  const to = StackCallback.parse(event);
  const outcome = await doneWith(event, work).catch((error: unknown): StackOutcome => {
    onError(error);
    return failed(event, inWords(error));
  });
  await respond(to, outcome);
  return outcome;
}

async function doneWith(event: unknown, work: (change: StackChange) => Promise<StackOutcome>): Promise<StackOutcome> {
  const change = StackChange.safeParse(event);
  return change.success ? work(change.data) : failed(event, `malformed request: ${inWords(change.error)}`);
}

const failed = (event: unknown, reason: string): StackOutcome => ({
  status: "FAILED",
  physicalId: StackChange.safeParse(event).data?.PhysicalResourceId ?? "unknown",
  reason,
});

async function respond(to: StackCallback, { status, physicalId, reason }: StackOutcome): Promise<void> {
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
      // The URL's signature covers an empty content type.
      const headers = { "content-type": "" };
      const { ok, status: code } = await fetch(to.ResponseURL, { method: "PUT", body, headers, signal: AbortSignal.timeout(timeoutMs) });
      if (ok) return;
      throw new Error(`CloudFormation's response URL returned ${code}`);
    } catch (error) {
      if (n === tries) throw error;
      await pause(1_000 * n * Math.random());
    }
  }
}
