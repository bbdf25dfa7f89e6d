import { FleetError } from "../../model/fleet-error.ts";
import { errorOf } from "../program/command.ts";
import { LineSplitter } from "../program/lines.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import { complaintOf, type Docker, didIt } from "./docker.ts";

export type ImageOrder = {
  readonly image: string;
  /** Receives the download's progress, line by line. */
  readonly onLine: (line: string) => void;
  readonly timeoutMs: number;
};

/** Enough for tens of GiB over an ordinary network. */
export const pullTimeoutMs = 30 * 60_000;

/** Messages of registries and the engine about an image that is not available and will not be on another try. */
const gone = [
  /manifest unknown|manifest for .* not found|: not found\b|no matching manifest|name unknown/i,
  /repository does not exist|repository .* not found/i,
  /pull access denied|requested access to the resource is denied|(daemon|registry): denied|unauthorized|no basic auth credentials/i,
  /invalid reference format/i,
];
/** Messages about problems that pass, even if they contain one of the above. */
const busy = /toomanyrequests|too many requests|rate limit|no space left on device/i;

/**
 * Fetches the parts of an image that this node does not have yet. Throws a FleetError whose message is meant for the team: at once if the image
 * is not available, and after its tries (`retry`) for any other problem.
 */
export async function pullImage(docker: Docker, order: ImageOrder, tries: Tries): Promise<void> {
  await tryAgain(tries, async () => {
    const lines = new LineSplitter(order.onLine);
    const onOutput = (bytes: Buffer): void => lines.push(bytes);
    const end = await docker.run(["pull", order.image], { timeoutMs: order.timeoutMs, signal: tries.signal, onOutput });
    lines.end();
    if (didIt(end)) return;
    const why = complaintOf(end);
    if (gone.some((each) => each.test(why)) && !busy.test(why))
      throw new FleetError("image", `the image ${order.image} is not available: ${why}`, { cause: errorOf(end) });
    throw new FleetError("image", `the image ${order.image} could not be fetched: ${why}`, { retry: true, cause: errorOf(end) });
  });
}
