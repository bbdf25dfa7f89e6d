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

/** Lambda refuses reserved concurrency that would leave an account with less than this for all other functions. */
const unreserved = 100;
const reserved = z.int().min(1, "must be 1 or more").max(10_000, "must not be more than 10,000").optional();

/**
 * Concurrency that is set aside for a function, which is also the most that it gets. None by default, because an account whose limit is small,
 * as that of many new accounts, cannot set any aside.
 */
export const ReservedConcurrency = z
  .strictObject({
    accountLimit: z
      .int()
      .min(unreserved + 1, `must be more than ${unreserved}, because Lambda keeps ${unreserved} for functions without reserved concurrency`)
      .describe("The account's Lambda concurrency in this region, as Service Quotas shows it"),
    node: reserved.describe("For the calls of workers: about one per ten nodes"),
    place: reserved.describe("For decisions: at least one per pool"),
    tick: reserved.describe("For the tick, which runs once a minute: 2 are enough"),
    api: reserved.describe("For people and programs; a cap, so that their calls cannot use up the account's concurrency"),
  })
  .superRefine(({ accountLimit, ...each }, context) => {
    const sum = Object.values(each).reduce<number>((total, one) => total + (one ?? 0), 0);
    const most = accountLimit - unreserved;
    if (sum > most)
      context.addIssue({
        code: "custom",
        message: `sets aside ${sum}, but an account with a concurrency of ${accountLimit} can set aside at most ${most}, because Lambda keeps ${unreserved} for other functions`,
      });
  });
export type ReservedConcurrency = z.output<typeof ReservedConcurrency>;

type Concurrency = {
  readonly teams: readonly string[];
  readonly queueConcurrency: QueueConcurrency;
  readonly reservedConcurrency?: ReservedConcurrency | undefined;
};

/** Returns warnings about what the queues that teams can fill, and the API, leave for the functions that keep the fleet alive. */
export function concurrencyRemarks({ teams, queueConcurrency: queues, reservedConcurrency }: Concurrency): string[] {
  if (reservedConcurrency === undefined) return [];
  const { accountLimit, ...aside } = reservedConcurrency;
  const free = accountLimit - Object.values(aside).reduce<number>((total, one) => total + (one ?? 0), 0);
  const byQueues = queues.jobs * teams.length + queues.seal + queues.shards;
  return [
    ...(byQueues >= free
      ? [
          `queueConcurrency lets teams use ${byQueues} of the ${free} concurrent runs that are left for functions without reserved concurrency`,
        ]
      : []),
    ...(aside.node === undefined && aside.api === undefined
      ? ["neither node nor api has reserved concurrency, so calls of the API can use up what workers need to keep their leases"]
      : []),
  ];
}
