import { type NodeAnswer, type NodeCall, nodeProtocol } from "../../../events/node-call.ts";
import type { AttemptRef } from "../../model/job.ts";
import { backoffMs } from "../runtime/backoff.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { keyOf } from "./attempt.ts";
import type { StartAttempt } from "./attempt-run.ts";
import { HeldAttempts } from "./held-attempts.ts";
import { graceMs, judgeLease, type Lease, longestGraceMs } from "./lease.ts";
import type { CallNode } from "./node-client.ts";

export type AgentOptions = {
  readonly pool: string;
  readonly workerVersion: string;
  /** Names this run of the process. */
  readonly process: string;
  readonly call: CallNode;
  /** What is known of the instance just now; told with each call. */
  readonly facts: () => Facts;
  readonly start: StartAttempt;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What an earlier process of this worker ran; it is over. */
  readonly leftovers: readonly AttemptRef[];
};

/** `shutdown`: the instance shall end. `terminated`: only this process was asked to. */
export type AgentEnd = { readonly kind: "shutdown" | "terminated"; readonly because: string };

type Report = Extract<NodeCall, { kind: "report" }>;
export type Facts = Pick<Report, "address" | "gpus" | "notice" | "datasets">;
type Orders = Extract<NodeAnswer, { kind: "orders" }>;

const renewBeforeMs = 15 * 60_000;
/** Between two calls, whatever changes and whatever the server says: nothing makes the worker call without pause. */
const leastGapMs = 50;
const longestPauseMs = 60_000;
const mostReports = 500;
/** Beyond the grace: for killed programs to be gone. */
const stopSlackMs = 5_000;
/** For uploads of a worker that ends. With the grace of its programs and its last calls it stays below systemd's 90 s. */
const lastUploadMs = 30_000;
const lastListMs = 10_000;
const lastCallMs = 5_000;
/** So long before EC2 takes the instance back, uploads list what they have sent. */
const cutBeforeMs = 15_000;

/**
 * Tells the server how all attempts are, again and again, and does what it answers: at most one call at a time, at once
 * when something changed here. It outlives any silence up to its lease's end.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #attempts: HeldAttempts;
  readonly #startedMs: number;
  readonly #ending = new AbortController();
  #end: AgentEnd | undefined;
  #lease: Lease | undefined;
  #cancelWatch: () => void = () => {};
  #changed = false;
  #endPause: () => void = () => {};
  /** When the first of the calls failed that have failed since the last good one. */
  #failingSinceMs: number | undefined;
  #isCutDue = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#attempts = new HeldAttempts({
      start: options.start,
      log: options.log,
      graceMs: () => graceMs(options.clock.monotonicMs(), this.#lease),
      changed: () => this.callSoon(),
      clock: options.clock,
      silentForMs: () => this.#silentForMs,
    });
    for (const ref of options.leftovers) this.#attempts.note(ref, "the worker on this node was restarted");
  }

  /** There is news for the server: the next call does not wait. */
  callSoon(): void {
    this.#changed = true;
    this.#endPause();
  }

  /** Makes `run` stop the attempts with grace, tell the server, and end. */
  terminate(): void {
    this.#finish({ kind: "terminated", because: "the worker was asked to end" });
  }

  /** Works until the server or the lease ends this node, or `terminate` is called. Never rejects. */
  async run(): Promise<AgentEnd> {
    const { clock } = this.#options;
    this.#watchLease();
    let failures = 0;
    while (this.#end === undefined) {
      this.#changed = false;
      const nextAtMs = clock.monotonicMs() + leastGapMs;
      const pauseMs = await this.#converse();
      failures = pauseMs === "failed" ? failures + 1 : 0;
      this.#failingSinceMs = pauseMs === "failed" ? (this.#failingSinceMs ?? clock.monotonicMs()) : undefined;
      if (pauseMs === "failed") await this.#backOff(failures);
      else await this.#pause(pauseMs);
      await sleep(clock, nextAtMs - clock.monotonicMs(), this.#ending.signal);
    }
    const end = this.#end;
    this.#options.log("info", "the worker ends", { kind: end.kind, because: end.because });
    await this.#stopPrograms(end.because);
    this.#cancelWatch();
    // The server learns at once what stopped, if it can be reached; else it waits for the lease to end.
    if (end.kind === "terminated") await this.#tellLast();
    if ((await this.#upload(end.because)) && end.kind === "terminated") await this.#tellLast();
    await this.#attempts.removeAll();
    return end;
  }

  /** One call, and what its answer asks for. Answers how long to wait before the next. */
  async #converse(): Promise<number | "failed"> {
    const sentMs = this.#options.clock.monotonicMs();
    const report = this.#report();
    this.#cutInTime(report);
    try {
      const answer = await this.#options.call(report, this.#ending.signal);
      return this.#follow(answer, { report, sentMs });
    } catch (error) {
      if (this.#end === undefined) this.#options.log("warn", "a call failed", {}, error);
      return "failed";
    }
  }

  #report(): Report {
    const { pool, workerVersion, process, clock, facts } = this.#options;
    return {
      protocol: nodeProtocol,
      kind: "report",
      pool,
      workerVersion,
      process,
      attempts: this.#attempts.reports().slice(0, mostReports),
      renew: this.#attempts.endingBefore(clock.wallMs() + renewBeforeMs).slice(0, mostReports),
      ...facts(),
    };
  }

  #cutInTime({ notice }: Report): void {
    if (notice?.kind !== "interruption" || this.#isCutDue) return;
    this.#isCutDue = true;
    const { clock } = this.#options;
    clock.after(notice.atMs - cutBeforeMs - clock.wallMs(), () => this.#attempts.cutUploads("EC2 takes the instance back"));
  }

  #follow(answer: NodeAnswer, sent: { report: Report; sentMs: number }): number {
    switch (answer.kind) {
      case "orders":
        this.#lease = { fromMs: sent.sentMs, lengthMs: answer.leaseMs };
        this.#watchLease();
        this.#obey(answer, sent.report);
        return answer.callAgainMs;
      case "wait":
        return answer.callAgainMs;
      case "shutdown":
        this.#finish({ kind: "shutdown", because: answer.because });
        return 0;
      case "boot":
        throw new Error("the server took a report for a boot call");
    }
  }

  /** Ends come before beginnings: what a stopped attempt held is free for the next. */
  #obey(answer: Orders, report: Report): void {
    // The node may have been ended while the call was under way: nothing new begins.
    if (this.#end !== undefined) return;
    const told = new Map(report.attempts.map((each) => [keyOf(each), each]));
    for (const ref of answer.done) this.#attempts.forget(ref);
    for (const { credentials, ...ref } of answer.renewed) this.#attempts.renew(ref, credentials);
    for (const order of answer.orders) {
      if (order.kind !== "stop") continue;
      this.#attempts.stop(order, order.because, told.get(keyOf(order)));
      told.delete(keyOf(order));
    }
    for (const each of told.values()) this.#attempts.heard(each);
    for (const order of answer.orders) if (order.kind === "run") this.#attempts.start(order);
  }

  #watchLease(): void {
    const { clock } = this.#options;
    this.#cancelWatch();
    const nowMs = clock.monotonicMs();
    const verdict = judgeLease({ nowMs, startedMs: this.#startedMs, lease: this.#lease });
    if (verdict.kind === "shut-down") {
      this.#finish({ kind: "shutdown", because: verdict.because });
      return;
    }
    if (verdict.kind === "let-go") this.#attempts.stopPrograms("its node could not reach the server and its lease was about to end");
    this.#cancelWatch = clock.after(verdict.untilMs - nowMs, () => this.#watchLease());
  }

  #finish(end: AgentEnd): void {
    this.#end ??= end;
    this.#ending.abort();
    this.#endPause();
  }

  /** Once the worker ends it does not wait for anybody. */
  get #silentForMs(): number {
    if (this.#end) return Number.POSITIVE_INFINITY;
    return this.#failingSinceMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#failingSinceMs;
  }

  async #stopPrograms(because: string): Promise<void> {
    this.#attempts.stopPrograms(because);
    await this.#waitWhile(() => this.#attempts.isRunning, longestGraceMs + stopSlackMs);
  }

  /** Whatever attempts left is uploaded, as far as the time allows. Returns whether there was anything. */
  async #upload(because: string): Promise<boolean> {
    this.#attempts.uploadAll();
    if (!this.#attempts.isUploading) return false;
    await this.#waitWhile(() => this.#attempts.isUploading, lastUploadMs);
    this.#attempts.stopUploads(because);
    await this.#waitWhile(() => this.#attempts.isUploading, lastListMs);
    return true;
  }

  async #waitWhile(holds: () => boolean, mostMs: number): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + mostMs;
    while (holds() && clock.monotonicMs() < untilMs) {
      this.#changed = false;
      await this.#pause(untilMs - clock.monotonicMs());
    }
  }

  async #tellLast(): Promise<void> {
    if (this.#attempts.isEmpty) return;
    try {
      await this.#options.call(this.#report(), AbortSignal.timeout(lastCallMs));
    } catch (error) {
      this.#options.log("warn", "the last call failed", {}, error);
    }
  }

  async #backOff(failures: number): Promise<void> {
    const { clock, random } = this.#options;
    await sleep(clock, backoffMs(failures, random()), this.#ending.signal);
  }

  /** Waits, but no longer than until something changes here. */
  async #pause(ms: number): Promise<void> {
    if (this.#changed) return;
    const pause = new AbortController();
    this.#endPause = () => pause.abort();
    await sleep(this.#options.clock, Math.min(longestPauseMs, ms), pause.signal);
  }
}
