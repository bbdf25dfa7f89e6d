import { Ec2Error } from "../../requests/query-protocol.ts";
import type { RequestRate } from "../behaviour/behaviour.ts";

/** EC2's throttling: a token bucket per action. Each call takes a token. A call that finds no token is refused. */
export type RequestRates = {
  /** Takes a token. Throws RequestLimitExceeded if there is none. */
  take(action: string): void;
  /** Sets the rate from now on, with a full bucket. Undefined: no limit. `*`: every action without its own rate. */
  set(action: string, rate: RequestRate | undefined): void;
  /** How many calls were refused, per action. */
  readonly refused: ReadonlyMap<string, number>;
};

type Bucket = { tokens: number; atMs: number };

export function createRequestRates(rates: Readonly<Record<string, RequestRate>>, now: () => number): RequestRates {
  const rateOf = new Map(Object.entries(rates));
  const buckets = new Map<string, Bucket>();
  const refused = new Map<string, number>();
  return {
    refused,
    take(action) {
      const rate = rateOf.get(action) ?? rateOf.get("*");
      if (rate === undefined) return;
      const nowMs = now();
      const bucket = buckets.get(action) ?? { tokens: rate.burst, atMs: nowMs };
      buckets.set(action, bucket);
      bucket.tokens = Math.min(rate.burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * rate.perSecond);
      bucket.atMs = nowMs;
      if (bucket.tokens < 1) {
        refused.set(action, (refused.get(action) ?? 0) + 1);
        throw new Ec2Error("RequestLimitExceeded", "Request limit exceeded.", 503);
      }
      bucket.tokens -= 1;
    },
    set(action, rate) {
      if (rate) rateOf.set(action, rate);
      else rateOf.delete(action);
      if (action === "*") buckets.clear();
      else buckets.delete(action);
    },
  };
}
