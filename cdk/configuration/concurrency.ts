import * as z from "zod";

/** AWS accepts 2 to 1,000 for a queue that invokes a function. */
const batches = z
  .int()
  .min(2, "must be 2 or more, because AWS accepts no less for a queue")
  .max(1_000, "must not be more than 1,000, because AWS accepts no more for a queue");

/**
 * How many batches of each queue that teams can fill are handled at a time. All functions share the account's concurrency, and nodes
 * stop their work if they cannot reach the function `node`, so what teams cause must not use up all of it.
 */
export const QueueConcurrency = z
  .strictObject({
    jobs: batches.default(5).describe("Batches of job messages at a time, per team"),
    seal: batches.default(50).describe("Uploads that are sealed at a time, for all teams together"),
    shards: batches.default(10).describe("Batches of listings of datasets at a time, for all teams together"),
  })
  .prefault({});
export type QueueConcurrency = z.output<typeof QueueConcurrency>;
