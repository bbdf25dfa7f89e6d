import { type NodeCall, type NodeResponse, nodeProtocol } from "../../../events/node-call.ts";
import type { AttemptRef } from "../../model/job.ts";
import { backoffMs } from "../runtime/backoff.ts";
import { aborted, type Clock, sleep } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { keyOf } from "./attempt.ts";
import { graceMs, type KeptAttempt, type StartAttempt } from "./attempt-run.ts";
import { HeldAttempts } from "./held-attempts.ts";
import { clearMs, Island, type IslandOptions, Silence } from "./island.ts";
import type { CallNode } from "./node-client.ts";
import { beforeReclaim, leaveOutboxes, leaveWhole } from "./reclaim.ts";

export type AgentOptions = {
  readonly pool: string;
  readonly workerVersion: string;
  /** Identifies this run of the process. */
  readonly process: string;
  readonly call: CallNode;
  /** Returns what is currently known about the instance. Each call reports it. */
  readonly facts: () => Facts;
  /** Returns when EC2 reclaims the instance, in monotonic ms; undefined if that is not known. */
  readonly endsAtMs: () => number | undefined;
  readonly start: StartAttempt;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: WorkerLog;
  /** Attempts that an earlier process of this worker ran, once nothing of them runs any more. No call is made before. */
  readonly leftovers: readonly AttemptRef[] | Promise<readonly AttemptRef[]>;
  /** Attempts that an earlier process ran to their ends, and that are not delivered. */
  readonly kept?: readonly KeptAttempt[];
  /** For how long earlier processes of this worker got no response, and what keeps that time for later ones. */
  readonly islandTime?: IslandOptions["time"];
};

/** `shutdown`: the instance must end. `terminated`: only this process must end. */
export type AgentEnd = { readonly kind: "shutdown" | "terminated"; readonly because: string };

type Report = Extract<NodeCall, { kind: "report" }>;
export type Facts = Pick<Report, "address" | "gpus" | "notice" | "datasets">;
type Orders = Extract<NodeResponse, { kind: "orders" }>;

const renewBeforeMs = 15 * 60_000;
/** The least time between two calls, so that neither changes here nor the server's responses can make the worker call without a pause. */
const minGapMs = 50;
const longestPauseMs = 60_000;
const maxReports = 500;
const sessionPauseMs = 1_000;
/** Time for killed programs to disappear, in addition to the grace period. */
const stopSlackMs = 5_000;
/**
 * Time for uploads when the worker ends. Together with the grace period, the last calls and, without a response, the outbox it must stay below
 * systemd's 90 s.
 */
const lastUploadMs = { answered: 30_000, unanswered: 15_000 } as const;
const lastListMs = 10_000;
const lastCallMs = 5_000;

/**
 * Reports the state of all attempts to the server and follows the orders that it returns. It makes one call at a time, and calls
 * without waiting when something changes here. If the server does not respond, it keeps trying, and what runs goes on.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #attempts: HeldAttempts;
  readonly #ending = new AbortController();
  #end: AgentEnd | undefined;
  /** This process's session, and the number of its last call. Undefined until it has begun, and if another process has begun one since. */
  #session: { readonly session: number; sequence: number } | undefined;
  #changed = false;
  #endPause: () => void = () => {};
  readonly #silence = new Silence();
  readonly #island: Island;
  #knowsItsEnd = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#attempts = new HeldAttempts({
      start: options.start,
      log: options.log,
      changed: () => this.callSoon(),
      clock: options.clock,
      silentForMs: () => this.#silentForMs,
      isUnanswered: () => this.#silence.isOn,
    });
    for (const each of options.kept ?? []) this.#attempts.restore(each);
    this.#island = new Island({
      clock: options.clock,
      time: options.islandTime,
      work: () => this.#attempts.work,
      why: () => this.#silence.why,
      leave: () => leaveWhole({ attempts: this.#attempts, clock: options.clock, ending: this.#ending.signal }),
      end: (because) => this.#finish({ kind: "shutdown", because }),
    });
  }

  /** Makes the next call without waiting, because there is news for the server. */
  callSoon(): void {
    this.#watchReclaim();
    this.#changed = true;
    this.#endPause();
  }

  /** Makes `run` stop the attempts with a grace period, report them to the server, and end. */
  terminate(): void {
    this.#finish({ kind: "terminated", because: "the worker was asked to end" });
  }

  /** Works until the server ends this node, or it must end itself because it gets no response, or `terminate` is called. Never rejects. */
  async run(): Promise<AgentEnd> {
    const { clock, random } = this.#options;
    this.#island.watch();
    await this.#untilClear();
    let failures = 0;
    while (this.#end === undefined) {
      this.#changed = false;
      const nextAtMs = clock.monotonicMs() + minGapMs;
      const pauseMs = await this.#exchange();
      failures = pauseMs === "failed" ? failures + 1 : 0;
      if (pauseMs === "failed") await sleep(clock, backoffMs(failures, random()), this.#ending.signal);
      else await this.#pause(pauseMs);
      await sleep(clock, nextAtMs - clock.monotonicMs(), this.#ending.signal);
    }
    const end = this.#end;
    this.#options.log("info", "worker stopping", end);
    await this.#stopPrograms(end.because);
    this.#island.stop();
    // Unless the server has ordered it, it should learn now what stopped, because otherwise it waits until the instance has ended.
    const isOrdered = end.kind === "shutdown" && !this.#silence.isOn;
    if (!isOrdered) await this.#reportLast();
    if ((await this.#upload(end.because)) && !isOrdered) await this.#reportLast();
    // What is not reported stays on the disk, too, for the next process of this worker.
    if (this.#silence.isOn) await leaveOutboxes(end.kind, { attempts: this.#attempts, clock, endsAtMs: this.#options.endsAtMs() });
    else await this.#attempts.removeAll();
    return end;
  }

  /** Waits until nothing of an earlier process of this worker runs. As nothing may be reported before, the node is an island until then. */
  async #untilClear(): Promise<void> {
    const { clock, leftovers } = this.#options;
    const why = new Error("what the last process of the worker ran has not ended");
    const cancel = clock.after(clearMs, () => this.#silence.note(why, clock.monotonicMs()));
    const gone = await Promise.race([leftovers, aborted(this.#ending.signal)]);
    cancel();
    if (gone === undefined) return;
    this.#silence.end();
    for (const ref of gone) this.#attempts.note(ref, "the worker on this node was restarted");
  }

  /** Makes one call and follows its response. Returns how long to wait before the next call, in ms. */
  async #exchange(): Promise<number | "failed"> {
    const { call, clock } = this.#options;
    this.#watchReclaim();
    try {
      const refusal = await this.#beginSession();
      if (refusal) return this.#follow(refusal);
      const sentMs = clock.monotonicMs();
      const report = this.#report();
      return this.#follow(await call(report, this.#ending.signal), { report, sentMs });
    } catch (error) {
      if (this.#end === undefined) this.#options.log("warn", "node call failed", {}, error);
      this.#silence.note(error, clock.monotonicMs());
      return "failed";
    }
  }

  /** Asks for a session if there is none. Returns the response if that is no session. */
  async #beginSession(): Promise<NodeResponse | undefined> {
    if (this.#session !== undefined) return undefined;
    const { call, pool } = this.#options;
    const response = await call({ protocol: nodeProtocol, kind: "begin", pool }, this.#ending.signal);
    if (response.kind !== "session") return response;
    this.#session = { session: response.session, sequence: 0 };
    return undefined;
  }

  #report(): Report {
    const { pool, workerVersion, process, clock, facts } = this.#options;
    if (this.#session === undefined) throw new Error("a report needs a session");
    this.#session.sequence += 1;
    return {
      protocol: nodeProtocol,
      kind: "report",
      pool,
      workerVersion,
      ...this.#session,
      process,
      attempts: this.#attempts.reports().slice(0, maxReports),
      renew: this.#attempts.endingBefore(clock.wallMs() + renewBeforeMs).slice(0, maxReports),
      ...facts(),
    };
  }

  #watchReclaim(): void {
    const endsAtMs = this.#options.endsAtMs();
    if (endsAtMs === undefined || this.#knowsItsEnd) return;
    this.#knowsItsEnd = true;
    beforeReclaim(endsAtMs, {
      attempts: this.#attempts,
      clock: this.#options.clock,
      isUnanswered: () => this.#silence.isOn,
      leave: (because) => this.#finish({ kind: "shutdown", because }),
    });
  }

  /** `sent` is undefined if the call was to begin a session. */
  #follow(response: NodeResponse, sent?: { readonly report: Report; readonly sentMs: number }): number {
    this.#silence.end();
    switch (response.kind) {
      case "orders":
        if (!sent) throw new Error("the server treated the beginning of a session as a report");
        this.#applyOrders(response, sent.report);
        this.#island.answered(sent.sentMs, response.islandMs);
        return response.callAgainMs;
      case "no-session":
        this.#session = undefined;
        // If two processes ran by mistake, they would take the session from each other without a pause.
        return sessionPauseMs;
      case "wait":
        return response.callAgainMs;
      case "shutdown":
        this.#finish({ kind: "shutdown", because: response.because });
        return 0;
      case "boot":
      case "canary":
      case "session":
        throw new Error(`the server returned "${response.kind}" for a report`);
    }
  }

  /** Stops attempts before it starts others, so that the GPUs of a stopped attempt are free for the next. */
  #applyOrders(response: Orders, report: Report): void {
    // The worker may have begun to end while the call was in progress. Then it must not start anything.
    if (this.#end !== undefined) return;
    const reports = new Map(report.attempts.map((each) => [keyOf(each), each]));
    for (const ref of response.unrecorded) reports.delete(keyOf(ref));
    for (const ref of response.done) this.#attempts.forget(ref);
    for (const { credentials, ...ref } of response.renewed) this.#attempts.renew(ref, credentials);
    for (const order of response.orders) {
      if (order.kind !== "stop") continue;
      this.#attempts.stop(order, order.because, reports.get(keyOf(order)));
      reports.delete(keyOf(order));
    }
    for (const each of reports.values()) this.#attempts.accepted(each);
    for (const order of response.orders) if (order.kind === "run") this.#attempts.start(order);
  }

  #finish(end: AgentEnd): void {
    this.#end ??= end;
    this.#ending.abort();
    this.#endPause();
  }

  /** For how long the server has not responded. Infinite once the worker ends, because then it no longer waits for the server. */
  get #silentForMs(): number {
    return this.#end ? Number.POSITIVE_INFINITY : this.#silence.forMs(this.#options.clock.monotonicMs());
  }

  async #stopPrograms(because: string): Promise<void> {
    this.#attempts.stopPrograms(because);
    await this.#waitWhile(() => this.#attempts.isRunning, graceMs + stopSlackMs);
  }

  /** Uploads what attempts left, as far as the time allows. Returns whether there was anything to upload. */
  async #upload(because: string): Promise<boolean> {
    this.#attempts.uploadAll();
    if (!this.#attempts.isUploading) return false;
    await this.#waitWhile(() => this.#attempts.isUploading, lastUploadMs[this.#silence.isOn ? "unanswered" : "answered"]);
    this.#attempts.stopUploads(because);
    await this.#waitWhile(() => this.#attempts.isUploading, lastListMs);
    return true;
  }

  async #waitWhile(holds: () => boolean, maxMs: number): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + maxMs;
    while (holds() && clock.monotonicMs() < untilMs) {
      this.#changed = false;
      await this.#pause(untilMs - clock.monotonicMs());
    }
  }

  async #reportLast(): Promise<void> {
    if (this.#attempts.isEmpty || this.#session === undefined) return;
    try {
      await this.#options.call(this.#report(), AbortSignal.timeout(lastCallMs));
      this.#silence.end();
    } catch (error) {
      this.#options.log("warn", "last node call failed", {}, error);
      this.#silence.note(error, this.#options.clock.monotonicMs());
    }
  }

  /** Waits that long, or until something changes here. */
  async #pause(ms: number): Promise<void> {
    if (this.#changed) return;
    const pause = new AbortController();
    this.#endPause = () => pause.abort();
    await sleep(this.#options.clock, Math.min(longestPauseMs, ms), pause.signal);
  }
}
