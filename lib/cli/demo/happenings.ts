import type { LocalCloud } from "../../local/cloud.ts";
import { type Job, jobName } from "../../model/job.ts";
import type { FleetApi } from "../session/fleet-api.ts";
import type { Sample } from "./samples.ts";

export type Happenings = {
  /** Must be called on every change of a job's state. Triggers the sample's event once. */
  onUpdate(job: Job, sample: Sample): void;
  /** Names of jobs whose node was taken back. */
  readonly interrupted: ReadonlySet<string>;
  /** Resolves when all triggered events have happened, or throws the error of one. */
  settled(): Promise<void>;
};

/** Triggers events while jobs run: a spot interruption, or a cancellation. */
export function createHappenings(on: {
  readonly cloud: Pick<LocalCloud, "ec2">;
  readonly api: Pick<FleetApi, "cancel">;
  readonly print: (line: string) => void;
}): Happenings {
  const met = new Set<string>();
  const interrupted = new Set<string>();
  const begun: Promise<unknown>[] = [];

  const interrupt = (job: Job): void => {
    on.cloud.ec2.record.interrupt(job.node ?? "");
    interrupted.add(jobName(job));
    on.print(`${job.node}  EC2 announces that it takes this spot instance back`);
  };
  const cancel = async (job: Job): Promise<void> => {
    await on.api.cancel(job, "the demonstration cancels this job");
    on.print(`${jobName(job)}  cancelled by its team`);
  };

  return {
    interrupted,
    onUpdate(job, { meets }) {
      if (meets === undefined || job.state !== "running" || met.has(jobName(job))) return;
      met.add(jobName(job));
      switch (meets) {
        case "interruption":
          return interrupt(job);
        case "cancellation":
          begun.push(cancel(job));
      }
    },
    async settled() {
      await Promise.all(begun);
    },
  };
}
