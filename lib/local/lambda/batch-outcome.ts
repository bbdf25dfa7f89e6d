import * as z from "zod";
import type { Outcome } from "./environment.ts";
import type { BatchOutcome } from "./poller.ts";

const Response = z
  .union([z.null(), z.looseObject({ batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string().min(1) })).nullish() })])
  .transform((response) => response?.batchItemFailures ?? []);

/**
 * What Lambda makes of a function's answer to a batch: an error fails all of it; so does, where the function reports
 * failures one by one, an answer that cannot be read or that names a message that was not in the batch.
 */
export function batchOutcome(outcome: Outcome, batch: { messageIds: readonly string[]; partialFailures: boolean }): BatchOutcome {
  if (outcome.kind === "failed") return { failed: "all" };
  if (!batch.partialFailures) return { failed: new Set() };
  const response = Response.safeParse(outcome.payload);
  if (!response.success) return { failed: "all" };
  const failed = new Set(response.data.map((item) => item.itemIdentifier));
  return { failed: [...failed].every((id) => batch.messageIds.includes(id)) ? failed : "all" };
}
