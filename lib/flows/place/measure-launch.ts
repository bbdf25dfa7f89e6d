import { launchSeconds } from "../../decide/health/measures.ts";
import type { QueueEntry } from "../../model/job.ts";
import type { Launch } from "../../model/launch.ts";
import type { LaunchDeps, Launched } from "../ec2/launching.ts";

/** Measures how long the jobs of a launch have waited for it, if EC2 has launched nodes now. `queue`: the jobs that waited before. */
export function measureLaunch(
  { measured, now }: Pick<LaunchDeps, "measured" | "now">,
  of: { readonly launch: Launch; readonly queue: readonly QueueEntry[]; readonly came: Launched },
): void {
  if (of.came.kind !== "launched") return;
  const seconds = launchSeconds(of.launch, of.queue, now());
  if (seconds !== undefined) measured?.({ what: "launch", pool: of.launch.pool, launch: of.launch.id, seconds });
}
