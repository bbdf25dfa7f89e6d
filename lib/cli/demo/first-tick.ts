import type { LocalCloud } from "../../local/cloud.ts";
import { Fault } from "../../model/fault.ts";

const mostTries = 5;

/**
 * The schedule's first tick fetches prices; a job that nothing can hold is refused at once only when they are known.
 * A tick that fails is made up for by the next, a minute later: nobody here wants to wait for that.
 */
export async function firstTick(cloud: Pick<LocalCloud, "invoke">): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const ticked = await cloud.invoke("tick", { tick: "minute" });
    if (ticked.kind === "returned") return;
    if (tries === mostTries) throw new Fault("no-prices", `the first tick failed, ${tries} times: ${JSON.stringify(ticked)}`);
  }
}
