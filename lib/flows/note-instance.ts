import type { InstanceEvent } from "../../events/instance.ts";
import type { NodeLedger } from "../ports/node-ledger.ts";
import { type Ringing, ring } from "./ring.ts";

export type NoteDeps = Ringing & { readonly ledger: Pick<NodeLedger, "gone">; readonly now: () => number };

/** Takes note of an instance's end. Only `stopped` and `terminated` are proof that nothing runs there any more. */
export async function noteInstance(deps: NoteDeps, event: InstanceEvent): Promise<"noted" | "not-ours" | "no-news"> {
  if (event["detail-type"] !== "EC2 Instance State-change Notification") return "no-news";
  const { state } = event.detail;
  if (state !== "stopped" && state !== "terminated") return "no-news";
  const gone = await deps.ledger.gone(event.detail["instance-id"], deps.now());
  if (gone.kind === "unknown") return "not-ours";
  await ring(deps, gone.pool);
  return "noted";
}
