import { nodeProtocol } from "../../events/node-call.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { Canary } from "../ports/node-ledger.ts";
import { type NodeClientOptions, nodeClient } from "../worker/attempt/node-client.ts";

const timeoutMs = 10_000;

/** Calls `node` with the client that workers use, so that whatever stands between workers and the function stands in its way, too. */
export function nodeCanary(of: Omit<NodeClientOptions, "timeoutMs">): Canary {
  const call = nodeClient({ ...of, timeoutMs });
  return {
    async call() {
      const response = await call({ protocol: nodeProtocol, kind: "canary" });
      if (response.kind !== "canary")
        throw new FleetError("node-call", `The node function returned "${response.kind}" for a canary call`, { retry: true });
    },
  };
}
