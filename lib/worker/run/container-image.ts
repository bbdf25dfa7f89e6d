import { Fault } from "../../model/fault.ts";
import { errorOf } from "../program/command.ts";
import { LineSplitter } from "../program/lines.ts";
import { type Tries, tryAgain } from "../runtime/retry.ts";
import { complaintOf, type Docker, didIt } from "./docker.ts";

export type ImageOrder = {
  readonly image: string;
  /** Sees how the download goes. */
  readonly onLine: (line: string) => void;
  readonly timeoutMs: number;
};

/** Tens of GiB over an ordinary network. */
export const pullTimeoutMs = 30 * 60_000;

/** What registries and the engine say of an image that is not there for us, whoever asks and however often. */
const gone = [
  /manifest unknown|manifest for .* not found|: not found\b|no matching manifest|name unknown/i,
  /repository does not exist|repository .* not found/i,
  /pull access denied|requested access to the resource is denied|(daemon|registry): denied|unauthorized|no basic auth credentials/i,
  /invalid reference format/i,
];
/** These pass, though they may come with one of the above. */
const busy = /toomanyrequests|too many requests|rate limit|no space left on device/i;

/**
 * Fetches an image, or what of it is not here yet. Throws a Fault in words for the team: for an image that is not there at
 * once, for any other trouble (`retry`) after its tries.
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
      throw new Fault("image", `the image ${order.image} cannot be had: ${why}`, { cause: errorOf(end) });
    throw new Fault("image", `the image ${order.image} could not be fetched: ${why}`, { retry: true, cause: errorOf(end) });
  });
}
