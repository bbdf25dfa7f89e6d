export type ByteLimits = {
  /** So much at once. */
  readonly burstBytes: number;
  /** So much each second in the long run. */
  readonly bytesPerSecond: number;
  readonly totalBytes: number;
};

/** How many bytes may be taken at a moment: a bucket that fills with time, and a total that does not. */
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

  /** Takes them if they may be taken now. */
  take(bytes: number, nowMs: number): boolean {
    this.#fill(nowMs);
    if (bytes > this.#left || bytes > this.#tokens) return false;
    this.#left -= bytes;
    this.#tokens -= bytes;
    return true;
  }

  /** In how many ms that many may be taken; undefined for never. */
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
