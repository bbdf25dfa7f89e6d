import { TeamName } from "../../events/job.ts";
import type { Datasets, ShardQueue } from "../ports/datasets.ts";

export type NoteObjectsDeps = {
  readonly datasets: Pick<Datasets, "list" | "noteRelist">;
  readonly queue: ShardQueue;
  readonly datasetsBucket: string;
  readonly now: () => number;
};

/** Whoever uploads a folder changes its source a thousand times: it is listed once for all that came in so long, s. */
const gatherSeconds = 2;

/**
 * Takes note of objects that came or went in the datasets bucket, all below one first folder: each dataset of that team
 * whose source holds one is listed anew, in a moment. Answers how many of the keys were no dataset's.
 */
export async function noteObjects(
  deps: NoteObjectsDeps,
  { bucket, keys }: { readonly bucket: string; readonly keys: readonly string[] },
): Promise<{ readonly asked: readonly string[]; readonly foreign: number }> {
  const team = TeamName.safeParse(keys[0]?.split("/")[0]);
  if (!team.success || bucket !== deps.datasetsBucket) return { asked: [], foreign: keys.length };
  const datasets = (await deps.datasets.list(team.data)).filter(({ source }) => source.bucket === bucket);
  const asked: string[] = [];
  for (const dataset of datasets) {
    if (!keys.some((key) => key.startsWith(dataset.source.prefix))) continue;
    const nowMs = deps.now();
    // One that begins later than now will see what this event is about.
    if (dataset.relistAtMs !== undefined && dataset.relistAtMs > nowMs) continue;
    await deps.queue.send(dataset, { relist: true, delaySeconds: gatherSeconds });
    // After the message: were it noted first and the message lost, nobody would list it.
    await deps.datasets.noteRelist(dataset, nowMs + gatherSeconds * 1000);
    asked.push(dataset.dataset);
  }
  return { asked, foreign: keys.filter((key) => !datasets.some(({ source }) => key.startsWith(source.prefix))).length };
}
