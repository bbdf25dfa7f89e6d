/** How many bytes may be taken: at once, per second, and in total. */
export type ByteLimits = {
  /** The most that may be taken at once. */
  readonly burstBytes: number;
  /** The rate at which the allowance refills. */
  readonly bytesPerSecond: number;
  readonly totalBytes: number;
};

/** Limits how many bytes may be taken: a token bucket that refills with time, and a total that does not. */
export class ByteAllowance {
  readonly #limits: ByteLimits;
  #tokens: number;
  #left: number;
  #atMs: number;

  constructor(limits: ByteLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.burstBytes;
    this.#left = limits.totalBytes;
    this.#atMs = nowMs;
  }

  /** Takes that many bytes if they are allowed now. Returns whether it did. */
  take(bytes: number, nowMs: number): boolean {
    this.#fill(nowMs);
    if (bytes > this.#left || bytes > this.#tokens) return false;
    this.#left -= bytes;
    this.#tokens -= bytes;
    return true;
  }

  /** Returns in how many ms that many bytes will be allowed, or undefined if they never will. */
  waitMs(bytes: number, nowMs: number): number | undefined {
    this.#fill(nowMs);
    if (bytes > this.#left || bytes > this.#limits.burstBytes) return undefined;
    return Math.max(0, Math.ceil(((bytes - this.#tokens) / this.#limits.bytesPerSecond) * 1000));
  }

  #fill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000;
    this.#tokens = Math.min(this.#limits.burstBytes, this.#tokens + seconds * this.#limits.bytesPerSecond);
    this.#atMs = nowMs;
  }
}
