/** What should become of the letters of a queue, in the order in which lists show them. */
export const remedies = ["redrive", "delete"] as const;

/**
 * `redrive`: they go back to the queue that they were meant for, whose reader handles a message twice as it does once.
 * `delete`: something else has done meanwhile what they asked for.
 */
export type Remedy = (typeof remedies)[number];

/** A dead-letter queue: the messages for one queue or function that could not be handled. */
export type DeadQueue = {
  /** The queue or function for which they were meant: `jobs-vision`, `seal`, `tick`. The queue is called `NAME-dead-` and this. */
  readonly name: string;
  /** The function that failed, without the deployment's prefix. Its log says why. */
  readonly reader: string;
  /** Whether the queue is a FIFO queue. Such a queue's name ends in `.fifo`. */
  readonly fifo: boolean;
  readonly remedy: Remedy;
  /** Why this is the remedy. */
  readonly because: string;
  /** The team whose jobs they are; undefined for queues of all teams. */
  readonly team?: string;
};

/** A message that could not be handled. */
export type DeadLetter = {
  readonly id: string;
  readonly body: string;
  /** When it was sent first, in ms since the epoch; for a FIFO queue, when it became a dead letter. */
  readonly sentAtMs: number;
  /** How often a reader received it: each try, and each later look at the dead letter. */
  readonly received: number;
  /** The error that EventBridge or Lambda noted; undefined for a message of a queue, because SQS notes none. */
  readonly error?: string;
};

/** A dead letter that no other receiver gets for a minute. `receipt` is needed to delete it. */
export type TakenLetter = DeadLetter & { readonly receipt: string };

/** Returns all dead-letter queues of a deployment with these teams. `test/cdk/dead-letter-queues.test.ts` compares them with the stack. */
export const deadQueues = (teams: readonly string[]): readonly DeadQueue[] => [
  ...teams.map(
    (team): DeadQueue => ({
      name: `jobs-${team}`,
      reader: "submit-jobs",
      fifo: false,
      remedy: "redrive",
      because: "these jobs were not admitted; a job that was admitted all the same is not submitted twice",
      team,
    }),
  ),
  queue("seal", "seal-artifact", "redrive", "these uploads may not be sealed; sealing one twice is harmless"),
  queue("outboxes", "take-outbox", "redrive", "these outboxes of nodes may not be taken in; taking one in twice is harmless"),
  queue("shards", "rebalance-shards", "redrive", "these datasets may not be listed; listing one twice is harmless"),
  { ...queue("lane", "place", "delete", "the tick wakes every pool that has work"), fifo: true },
  queue("later", "ring-later", "delete", "the tick rings every pool that has work"),
  queue("on-instance", "on-instance", "delete", "the tick and the workers have noticed these changes since"),
  queue("on-alarm", "on-alarm", "delete", "the tick wakes every pool that has work"),
  queue("tick", "tick", "delete", "the tick runs every minute"),
];

function queue(name: string, reader: string, ...[remedy, because]: readonly [Remedy, string]): DeadQueue {
  return { name, reader, fifo: false, remedy, because };
}
