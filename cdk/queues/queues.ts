import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Configuration } from "../configuration/configuration.ts";
import { timeouts } from "./timeouts.ts";
import { WorkQueue } from "./work-queue.ts";

/** Every queue that a function reads. Who may send to a team's queue speaks for that team. */
export class Queues extends Construct {
  /** A team's queue is named by this and the team. */
  readonly jobsPrefix: string;
  readonly jobs: ReadonlyMap<string, WorkQueue>;
  /** Wakes `place`: one message group a pool. */
  readonly lane: WorkQueue;
  /** Holds a wake back for up to 15 minutes. */
  readonly later: WorkQueue;
  readonly seal: WorkQueue;
  /** Asks for datasets to be looked at. */
  readonly shards: WorkQueue;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    const fleet = configuration.name;
    this.jobsPrefix = `${fleet}-jobs-`;
    this.jobs = new Map(
      configuration.teams.map((team) => [
        team,
        new WorkQueue(this, `Jobs-${team}`, { fleet, name: `jobs-${team}`, visibility: sixTimes(timeouts["submit-jobs"]) }),
      ]),
    );
    // A decision that died is taken up again after 30 s, not minutes: the epoch makes two at once harmless.
    this.lane = new WorkQueue(this, "Lane", { fleet, name: "lane", visibility: Duration.seconds(30), fifo: true });
    this.later = new WorkQueue(this, "Later", { fleet, name: "later", visibility: sixTimes(timeouts["ring-later"]) });
    this.seal = new WorkQueue(this, "Seal", { fleet, name: "seal", visibility: sixTimes(timeouts["seal-artifact"]) });
    this.shards = new WorkQueue(this, "Shards", { fleet, name: "shards", visibility: sixTimes(timeouts["rebalance-shards"]) });
  }
}

/** What AWS advises for a queue behind a function, so that throttled batches are not received twice. */
const sixTimes = (timeout: Duration): Duration => Duration.seconds(timeout.toSeconds() * 6);
