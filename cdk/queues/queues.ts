import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Configuration } from "../configuration/configuration.ts";
import { timeouts } from "./timeouts.ts";
import { WorkQueue } from "./work-queue.ts";

/** All queues that functions read. Anyone who may send to a team's queue acts for that team. */
export class Queues extends Construct {
  /** The prefix of the teams' queues; the team's name follows. */
  readonly jobsPrefix: string;
  readonly jobs: ReadonlyMap<string, WorkQueue>;
  /** Wakes `place`, with one message group per pool. */
  readonly lane: WorkQueue;
  /** Delays a wake for up to 15 minutes. */
  readonly later: WorkQueue;
  readonly seal: WorkQueue;
  /** Outboxes that nodes have left on S3. */
  readonly outboxes: WorkQueue;
  /** Requests that datasets be listed and dealt. */
  readonly shards: WorkQueue;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    const fleet = configuration.name;
    this.jobsPrefix = `${fleet}-jobs-`;
    this.jobs = new Map(
      configuration.teams.map((team) => [
        team,
        new WorkQueue(this, `Jobs-${team}`, { fleet, name: `jobs-${team}`, kind: "jobs", visibility: sixTimes(timeouts["submit-jobs"]) }),
      ]),
    );
    // A decision that crashed is repeated after 50 s rather than minutes, because the epoch makes two decisions at once harmless.
    this.lane = new WorkQueue(this, "Lane", { fleet, name: "lane", kind: "lane", visibility: Duration.seconds(50), fifo: true });
    this.later = new WorkQueue(this, "Later", { fleet, name: "later", kind: "later", visibility: sixTimes(timeouts["ring-later"]) });
    this.seal = new WorkQueue(this, "Seal", { fleet, name: "seal", kind: "seal", visibility: sixTimes(timeouts["seal-artifact"]) });
    this.outboxes = new WorkQueue(this, "Outboxes", {
      fleet,
      name: "outboxes",
      kind: "outboxes",
      visibility: sixTimes(timeouts["take-outbox"]),
    });
    this.shards = new WorkQueue(this, "Shards", {
      fleet,
      name: "shards",
      kind: "shards",
      visibility: sixTimes(timeouts["rebalance-shards"]),
    });
  }
}

/** The visibility that AWS recommends for a queue that invokes a function, so that throttled batches are not received twice. */
const sixTimes = (timeout: Duration): Duration => Duration.seconds(timeout.toSeconds() * 6);
