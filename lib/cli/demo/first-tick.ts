import type { LocalCloud } from "../../local/cloud.ts";
import { FleetError } from "../../model/fleet-error.ts";

const maxTries = 5;

/**
 * Invokes the first tick, which fetches prices. Only when prices are known is an impossible job rejected at once. Repeats a tick that
 * fails, because the schedule would do so only a minute later.
 */
export async function firstTick(cloud: Pick<LocalCloud, "invoke">): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const ticked = await cloud.invoke("tick", { tick: "minute" });
    if (ticked.kind === "returned") return;
    if (tries === maxTries) throw new FleetError("no-prices", `the first tick failed, ${tries} times: ${JSON.stringify(ticked)}`);
  }
}
