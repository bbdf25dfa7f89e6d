import { type Bucket, fullBucket, take, throttled } from "../../model/requests/request-bucket.ts";
import { documentedLimits, type RequestKind, type RequestLimits, type RequestPriority } from "../../model/requests/request-limits.ts";
import type { Grant, RequestBudget } from "../../ports/request-budget.ts";

/** The request budget in memory. Every call is atomic. */
export class MemoryRequestBudget implements RequestBudget {
  readonly buckets = new Map<RequestKind, Bucket>();
  readonly #limits: RequestLimits;

  constructor(limits: RequestLimits = documentedLimits) {
    this.#limits = limits;
  }

  async acquire({ kind, ...request }: { kind: RequestKind; priority: RequestPriority; instances: number; nowMs: number }): Promise<Grant> {
    const taken = take(this.#bucket(kind, request.nowMs), this.#limits[kind], request);
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
