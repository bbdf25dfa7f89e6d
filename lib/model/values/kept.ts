const dayMs = 86_400_000;

/**
 * How long what is over is kept, in ms. After that, DynamoDB and S3 delete it, usually within two days, and SQS at once. Whatever reads it must
 * be right before and after that.
 */
export const keptMs = {
  /** An ended job and its attempts; the same for both, so that no attempt outlives its job. */
  job: 30 * dayMs,
  /** That a team submitted jobs on a day. A job that waits longer is still found by its id. */
  dayOfJobs: 400 * dayMs,
  /** A launch whose outcome is known. */
  settledLaunch: 14 * dayMs,
  /** A node that has left its pool, and which pool its instance was in. */
  formerNode: 14 * dayMs,
  /**
   * When a worker last called, and the session of its process. Its node's end deletes them, but a late call may write them again. They
   * must not expire before the node has left, because a worker is judged by them; EC2 may refuse to end its instance for weeks.
   */
  heartbeat: 400 * dayMs,
  /** An instance that never became a worker, or was ended because its worker was silent. It counts for an hour. */
  failure: dayMs / 12,
  /** What EC2 refused, after it may be tried again. By then the last of the evidence has decayed. */
  refusal: 2 * dayMs,
  /** What nodes have cost in a month, after its end, so that costs can be seen for a year. */
  spent: 396 * dayMs,
  /** That a sweep has sent a message about an outbox. It is needed for hours. */
  outboxClaim: 2 * dayMs,
  /** How often a dataset's source was listed, and which maps nodes asked for. Both count for minutes. */
  datasetTurn: dayMs,
  /** A message that is in a queue, however it got there; SQS allows no more. If no function runs, no work is lost for so long. */
  message: 14 * dayMs,
  /** A message that was given up; SQS allows no more. In a standard queue, this counts from when the message was first sent. */
  letter: 14 * dayMs,
  /**
   * An upload. A message about it must never outlive it: EventBridge may try for a day to deliver the event before it becomes a letter, and
   * a letter that is sent back in its last hours is tried for some hours more.
   */
  upload: 16 * dayMs,
} as const;
