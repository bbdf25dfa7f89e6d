import * as z from "zod";
import type { InvocationOutcome } from "./environment.ts";
import type { BatchOutcome } from "./poller.ts";

const Response = z
  .union([z.null(), z.looseObject({ batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string().min(1) })).nullish() })])
  .transform((response) => response?.batchItemFailures ?? []);

/**
 * Interprets a function's response to a batch as Lambda does. An error fails the whole batch. If the function reports failures per
 * message, a response that cannot be parsed, or that names a message outside the batch, also fails the whole batch.
 */
export function batchOutcome(outcome: InvocationOutcome, batch: { messageIds: readonly string[]; partialFailures: boolean }): BatchOutcome {
  if (outcome.kind === "failed") return { failed: "all" };
  if (!batch.partialFailures) return { failed: new Set() };
  const response = Response.safeParse(outcome.payload);
  if (!response.success) return { failed: "all" };
  const failed = new Set(response.data.map((item) => item.itemIdentifier));
  return { failed: [...failed].every((id) => batch.messageIds.includes(id)) ? failed : "all" };
}
