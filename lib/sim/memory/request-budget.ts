import { type Bucket, fullBucket, take, throttled } from "../../model/requests/request-bucket.ts";
import { documentedLimits, type RequestKind, type RequestLane, type RequestLimits } from "../../model/requests/request-limits.ts";
import type { RequestBudget, Turn } from "../../ports/request-budget.ts";

/** The request budget in memory. Every call is atomic. */
export class MemoryRequestBudget implements RequestBudget {
  readonly buckets = new Map<RequestKind, Bucket>();
  readonly #limits: RequestLimits;

  constructor(limits: RequestLimits = documentedLimits) {
    this.#limits = limits;
  }

  async take({ kind, ...ask }: { kind: RequestKind; lane: RequestLane; instances: number; nowMs: number }): Promise<Turn> {
    const taken = take(this.#bucket(kind, ask.nowMs), this.#limits[kind], ask);
    if (taken.kind === "later") return taken;
    this.buckets.set(kind, taken.bucket);
    return { kind: "granted" };
  }

  async throttled(kind: RequestKind, nowMs: number): Promise<{ withinMs: number }> {
    const { bucket, withinMs } = throttled(this.#bucket(kind, nowMs), this.#limits[kind], nowMs);
    this.buckets.set(kind, bucket);
    return { withinMs };
  }

  #bucket(kind: RequestKind, nowMs: number): Bucket {
    return this.buckets.get(kind) ?? fullBucket(this.#limits[kind], nowMs);
  }
}
