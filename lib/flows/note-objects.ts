import { TeamName } from "../../events/names.ts";
import type { Ports } from "../ports/ports.ts";

export type NoteObjectsDeps = Pick<Ports, "datasets" | "shardQueue"> & {
  readonly datasetsBucket: string;
  readonly now: () => number;
};

/** The upload of a folder changes a source a thousand times, so the source is listed once for all changes within this time, s. */
const gatherSeconds = 2;

/**
 * Handles objects that were created or deleted in the datasets bucket, all below one top folder: each dataset of that team
 * whose source holds one of them is listed again shortly. `foreign`: how many of the keys belong to no dataset.
 */
export async function noteObjects(
  deps: NoteObjectsDeps,
  { bucket, keys }: { readonly bucket: string; readonly keys: readonly string[] },
): Promise<{ readonly requested: readonly string[]; readonly foreign: number }> {
  const team = TeamName.safeParse(keys[0]?.split("/")[0]);
  if (!team.success || bucket !== deps.datasetsBucket) return { requested: [], foreign: keys.length };
  const datasets = (await deps.datasets.list(team.data)).filter(({ source }) => source.bucket === bucket);
  const requested: string[] = [];
  for (const dataset of datasets) {
    if (!keys.some((key) => key.startsWith(dataset.source.prefix))) continue;
    const nowMs = deps.now();
    // A listing that starts later than now will include these objects.
    if (dataset.relistAtMs !== undefined && dataset.relistAtMs > nowMs) continue;
    await deps.shardQueue.send(dataset, { relist: true, delaySeconds: gatherSeconds });
    // Noted after the message is sent: if it were noted first and the message failed, the source would not be listed.
    await deps.datasets.recordRelist(dataset, nowMs + gatherSeconds * 1000);
    requested.push(dataset.dataset);
  }
  return { requested, foreign: keys.filter((key) => !datasets.some(({ source }) => key.startsWith(source.prefix))).length };
}
