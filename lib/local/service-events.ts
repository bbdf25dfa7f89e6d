import * as z from "zod";
import { Fault } from "../model/fault.ts";

export type ServiceEvent = { readonly source: string; readonly detailType: string; readonly detail: unknown };

const Answer = z.looseObject({ FailedEntryCount: z.literal(0) });

/** Puts an AWS service's own event on the default bus: PutEvents lets nobody speak as `aws.*`. Throws a Fault when it was not taken. */
export async function publishServiceEvent(ministackUrl: string, event: ServiceEvent): Promise<void> {
  const entry = { Source: event.source, DetailType: event.detailType, Detail: JSON.stringify(event.detail) };
  const response = await fetch(`${ministackUrl}/_service-events`, {
    method: "POST",
    body: JSON.stringify({ Entries: [entry] }),
    signal: AbortSignal.timeout(10_000),
  });
  const said = await response.text();
  if (!response.ok || !Answer.safeParse(JSON.parse(said)).success)
    throw new Fault("service-event", `The event ${event.detailType} was not taken: ${said}`, { retry: true });
}
