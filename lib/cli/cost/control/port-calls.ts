import type { SimPorts } from "../../../sim/faults/ports.ts";
import type { Counts } from "./counts.ts";

/** What a call of a port is to AWS: its billed requests, and how long it takes, ms. EC2 and STS bill none. */
export type PortCall = { readonly bills: Partial<Counts>; readonly ms: number };

/** A call of a method with this result. */
type CallOf = PortCall | ((result: unknown) => PortCall);

/**
 * How long requests take from a function in the same region, ms. AWS publishes no such figures; these are usual ones. They matter little: a
 * function with 512 MiB that waits 10 ms longer costs 7 cents more per million runs.
 */
const usualMs = {
  read: 4,
  write: 6,
  transaction: 12,
  sqs: 8,
  s3Get: 20,
  s3Put: 35,
  key: 8,
  credentials: 40,
  ec2: 200,
  launch: 1_500,
};

const sqs: PortCall = { bills: { sqs: 1 }, ms: usualMs.sqs };
const put: PortCall = { bills: { s3Puts: 1 }, ms: usualMs.s3Put };
const get: PortCall = { bills: { s3Gets: 1 }, ms: usualMs.s3Get };
const ec2: PortCall = { bills: {}, ms: usualMs.ec2 };
const opened: PortCall = { bills: { s3Gets: 1, keyRequests: 1 }, ms: usualMs.s3Get + usualMs.key };

type Calls = { readonly [P in keyof SimPorts]?: { readonly [M in keyof SimPorts[P]]?: CallOf } };

/**
 * The requests that the adapters of ports outside of the table make, by port and method. `test/unit/cli/control-requests.test.ts` compares
 * them with what the adapters send.
 */
const calls: Calls = {
  lane: { send: { bills: { sqsFifo: 1 }, ms: usualMs.sqs }, sendLater: sqs },
  sealAgain: { send: sqs },
  shardQueue: { send: sqs },
  outboxQueue: { send: sqs },
  journal: { record: put },
  artifacts: {
    uploaded: get,
    seal: { bills: { s3Gets: 1, s3Puts: 1, keyRequests: 1 }, ms: usualMs.s3Get + usualMs.s3Put + usualMs.key },
    // A list that is not there needs no key.
    sealedList: (result) => (result === undefined ? get : opened),
    sealList: { bills: { s3Puts: 1, keyRequests: 1 }, ms: usualMs.s3Put + usualMs.key },
  },
  outboxKeys: { generate: { bills: { keyRequests: 1 }, ms: usualMs.key } },
  access: { credentials: { bills: {}, ms: usualMs.credentials } },
  // URLs are signed without a request.
  downloads: { urls: { bills: {}, ms: 0 } },
  fleet: { launch: { bills: {}, ms: usualMs.launch }, find: ec2, terminate: ec2, look: ec2, impaired: ec2 },
  instances: { list: ec2 },
  market: { catalogue: { bills: {}, ms: 10 * usualMs.ec2 } },
};

/** Returns what a call is to AWS. Throws if that is not known, because then a sum would be too low. */
export function portCall(port: keyof SimPorts, method: string, result: unknown): PortCall {
  const of: object | undefined = calls[port];
  const call: CallOf | undefined = of && Object.hasOwn(of, method) ? Reflect.get(of, method) : undefined;
  if (call === undefined) throw new Error(`it is not known what a call of ${port}.${method} costs`);
  return typeof call === "function" ? call(result) : call;
}

/** How long a command of the table takes, ms. */
export function tableMs(command: string): number {
  if (command === "TransactWrite") return usualMs.transaction;
  return command === "Put" || command === "Update" || command === "Delete" ? usualMs.write : usualMs.read;
}
