import { eventAtMs, type InstanceEvent } from "../../events/instance.ts";
import type { Ports } from "../ports/ports.ts";
import { type Ringing, ring } from "./pool/ring.ts";

export type NoteDeps = Ringing & Pick<Ports, "nodeLedger"> & { readonly now: () => number };

/**
 * Records what EC2 says about an instance: that it will be taken back, or that it has ended. Only the states `stopped` and
 * `terminated` prove that nothing runs there any more. Every event may arrive late, twice and in any order.
 */
export async function noteInstance(deps: NoteDeps, event: InstanceEvent): Promise<"noted" | "not-ours" | "no-news"> {
  const id = event.detail["instance-id"];
  const noted = await record(deps, event);
  if (noted === "no-news") return "no-news";
  if (noted.outcome.kind === "unknown") return "not-ours";
  // Rings for known news too, because the first handler may have crashed before the ring.
  await ring(deps, noted.outcome.pool, `${noted.of} ${id}`);
  return "noted";
}

type LedgerOutcome = Awaited<ReturnType<Ports["nodeLedger"]["gone"]>>;
type About = "interruption" | "rebalance" | "ended";

async function record({ nodeLedger, now }: NoteDeps, event: InstanceEvent): Promise<{ of: About; outcome: LedgerOutcome } | "no-news"> {
  const id = event.detail["instance-id"];
  const notice = (kind: "interruption" | "rebalance"): Promise<LedgerOutcome> =>
    nodeLedger.noticed(id, { kind, atMs: eventAtMs(event) }, now());
  switch (event["detail-type"]) {
    case "EC2 Spot Instance Interruption Warning":
      return { of: "interruption", outcome: await notice("interruption") };
    case "EC2 Instance Rebalance Recommendation":
      return { of: "rebalance", outcome: await notice("rebalance") };
    case "EC2 Instance State-change Notification": {
      const { state } = event.detail;
      if (state !== "stopped" && state !== "terminated") return "no-news";
      // An instance that was stopped may have been started again since. Events arrive late after an outage.
      return { of: "ended", outcome: await nodeLedger.gone(id, now(), state === "stopped" ? eventAtMs(event) : undefined) };
    }
  }
}
