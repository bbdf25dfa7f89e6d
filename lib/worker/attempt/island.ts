import { withCauses } from "../../model/errors/in-words.ts";
import type { Clock } from "../runtime/clock.ts";

/**
 * When a node ends itself because its worker gets no response. What runs goes on meanwhile: an outage of ours must not cost a user's work,
 * and the service gives that work to no other node before EC2 says that this instance has ended.
 */
export type IslandTime = {
  /** For how long no call has got a response, ms. It counts from when the last call that got one was sent. */
  readonly unansweredMs: number;
  /** For how long of it nothing has run, ms, up to now. */
  readonly idleMs: number;
  /** How long a node with work goes on without a response, ms; undefined before the first response. */
  readonly islandMs?: number | undefined;
};

/**
 * What an island still has to do. `runs`: a program. `keeps`: to keep something of an attempt that has ended, because S3 does not hold all of it.
 * `none`: nothing that would be lost with the node.
 */
export type IslandWork = "runs" | "keeps" | "none";

/** The time since calls get no response. A refusal without a verdict of the server, such as a 403 of something in front of it, is none. */
export class Silence {
  #sinceMs: number | undefined;
  #why: string | undefined;

  get isOn(): boolean {
    return this.#sinceMs !== undefined;
  }

  get why(): string | undefined {
    return this.#why;
  }

  /** Notes that a call got no response, and why. */
  note(error: unknown, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    this.#why = withCauses(error).slice(0, longestReason).toWellFormed();
  }

  end(): void {
    this.#sinceMs = undefined;
    this.#why = undefined;
  }

  forMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }
}

const longestReason = 300;

/** How long a node that runs nothing waits for a response, also after its start. */
export const idleIslandMs = 15 * 60_000;
/** How long what the last process of a worker ran takes to end, unless something is wrong. */
export const clearMs = 10_000;
/** How often a worker looks whether it should end its node. */
export const lookEveryMs = 60_000;

/**
 * `hold`: look again after `forMs`, at the latest. `leave`: leave what the node keeps on S3, because it needs to keep only what S3 does not take.
 * `shut-down`: end the instance.
 */
export type IslandVerdict =
  | { readonly kind: "hold"; readonly forMs: number }
  | { readonly kind: "leave" }
  | { readonly kind: "shut-down"; readonly because: string };

export function judgeIsland(at: {
  readonly time: IslandTime;
  readonly work: IslandWork;
  /** Why the last call got no response; undefined if it got one. */
  readonly why?: string | undefined;
}): IslandVerdict {
  const { time, work, why } = at;
  const { unansweredMs, idleMs, islandMs } = time;
  const last = why === undefined ? "" : `; the last one: ${why}`;
  const idleLeftMs = idleIslandMs - idleMs;
  const leftMs = islandMs === undefined ? idleIslandMs - unansweredMs : work === "none" ? idleLeftMs : islandMs - unansweredMs;
  if (leftMs <= 0)
    return islandMs === undefined
      ? { kind: "shut-down", because: `no call of this node ever got orders${last}` }
      : { kind: "shut-down", because: `no call has got a response for ${inHours(unansweredMs)}${last}` };
  const isToLeave = islandMs !== undefined && work === "keeps";
  if (isToLeave && idleLeftMs <= 0) return { kind: "leave" };
  return { kind: "hold", forMs: Math.min(leftMs, isToLeave ? idleLeftMs : leftMs, lookEveryMs) };
}

const inHours = (ms: number): string => (ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`);

export type IslandOptions = {
  readonly clock: Clock;
  /** What earlier processes of this worker have counted, and what keeps the time for later ones. By default there are none. */
  readonly time?: { readonly from: IslandTime; readonly save: (time: IslandTime) => void } | undefined;
  readonly work: () => IslandWork;
  readonly why: () => string | undefined;
  /** Tries to leave what the node keeps on S3. It never throws. */
  readonly leave: () => Promise<void>;
  /** Is called when the instance must end. */
  readonly end: (because: string) => void;
};

/** How long after a failure the node tries again to leave what it keeps on S3. */
const leaveAgainMs = 15 * 60_000;

/** Counts the time for which no call gets a response, and decides when the node must end. */
export class Island {
  readonly #options: IslandOptions;
  #time: IslandTime;
  #savedMs: number;
  #countedAtMs: number;
  #wasIdle: boolean;
  #leaveAtMs = 0;
  #cancelLook: (() => void) | undefined;

  constructor(options: IslandOptions) {
    this.#options = options;
    this.#time = options.time?.from ?? { unansweredMs: 0, idleMs: 0 };
    this.#savedMs = this.#time.unansweredMs;
    this.#countedAtMs = options.clock.monotonicMs();
    this.#wasIdle = true;
  }

  /** Notes that a call that was sent then, in monotonic ms, has got a response. */
  answered(sentMs: number, islandMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const isNews = islandMs !== this.#time.islandMs;
    this.#time = { unansweredMs: nowMs - sentMs, idleMs: nowMs - sentMs, islandMs };
    this.#countedAtMs = nowMs;
    this.#leaveAtMs = 0;
    if (isNews || this.#savedMs > 0) this.#save(0);
    this.watch();
  }

  /** Decides whether the node must end, now and again later. */
  watch(): void {
    const { clock, work, why, end } = this.#options;
    this.stop();
    this.#count();
    const verdict = judgeIsland({ time: this.#time, work: work(), why: why() });
    if (verdict.kind === "shut-down") {
      end(verdict.because);
      return;
    }
    if (verdict.kind === "leave" && clock.monotonicMs() >= this.#leaveAtMs) void this.#leave();
    this.#cancelLook = clock.after(verdict.kind === "hold" ? verdict.forMs : lookEveryMs, () => this.watch());
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #count(): void {
    const { clock, work } = this.#options;
    const nowMs = clock.monotonicMs();
    const moreMs = nowMs - this.#countedAtMs;
    const isIdle = work() !== "runs";
    const { unansweredMs, idleMs, islandMs } = this.#time;
    this.#time = { unansweredMs: unansweredMs + moreMs, idleMs: isIdle ? (this.#wasIdle ? idleMs + moreMs : 0) : 0, islandMs };
    this.#countedAtMs = nowMs;
    this.#wasIdle = isIdle;
    if (this.#time.unansweredMs - this.#savedMs >= lookEveryMs) this.#save(this.#time.unansweredMs);
  }

  #save(unansweredMs: number): void {
    this.#savedMs = unansweredMs;
    this.#options.time?.save(this.#time);
  }

  async #leave(): Promise<void> {
    this.#leaveAtMs = Number.POSITIVE_INFINITY;
    await this.#options.leave();
    this.#leaveAtMs = this.#options.clock.monotonicMs() + leaveAgainMs;
    if (this.#cancelLook) this.watch();
  }
}
