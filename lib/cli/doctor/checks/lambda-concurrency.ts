import type { AccountConcurrency } from "../../../aws/account/functions.ts";
import { concurrencyQuota, increaseCommand } from "../findings/account-quotas.ts";
import { anError, aWarning, type Finding } from "../findings/finding.ts";

/** Lambda keeps this many for functions without a reservation, and refuses a reservation that would leave fewer. */
const keptByLambda = 100;

export type ConcurrencyNeeds = {
  readonly account: AccountConcurrency;
  /** How many functions the deployment has. */
  readonly functions: number;
  /** What the stack is going to reserve in addition to what is reserved; 0 if it is deployed. */
  readonly toReserve: number;
  /** How many batches of messages the queues that teams can fill may have handled at a time. */
  readonly byQueues: number;
  readonly region: string;
};

/** Checks that functions find room to run: one run of each at least, and, for what keeps the fleet alive, more than queues can take. */
export function concurrencyFindings({ account, functions, toReserve, byQueues, region }: ConcurrencyNeeds): readonly Finding[] {
  const { concurrent, unreserved } = account;
  const increase = (value: number): string => increaseCommand(concurrencyQuota, { value, region });
  if (concurrent < functions)
    return [
      anError(
        "lambda-concurrency.too-small",
        `the account may run ${concurrent} functions at a time, and the deployment has ${functions}, so they wait for each other`,
        increase(1_000),
      ),
    ];
  const left = unreserved - toReserve;
  if (toReserve > 0 && left < keptByLambda)
    return [
      anError(
        "lambda-concurrency.reservation",
        `the configuration sets aside ${toReserve} of ${unreserved} unreserved concurrent runs, and Lambda refuses to leave fewer than ${keptByLambda}`,
        `${increase(concurrent + keptByLambda - left)}, or lower reservedConcurrency`,
      ),
    ];
  if (left > byQueues) return [];
  return [
    aWarning(
      "lambda-concurrency.queues",
      `the queues of teams may use ${byQueues} concurrent runs at a time, which is all of the ${left} that are not reserved`,
      `${increase(1_000)}, or lower queueConcurrency`,
    ),
  ];
}
