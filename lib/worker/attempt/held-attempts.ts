import type { AttemptReport, Credentials } from "../../../events/node-call.ts";
import type { AttemptRef } from "../../model/job.ts";
import type { LeaveHow } from "../outbox/leave-outbox.ts";
import type { Clock } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import {
  type AttemptEvent,
  type AttemptState,
  endToUpload,
  hasEnded,
  holdsGpus,
  isActive,
  isPartUseful,
  isUploading,
  keyOf,
  needsCredentials,
  next,
  reportOf,
} from "./attempt.ts";
import { graceMs, type KeptAttempt, type LiveAttempt, type RunOrder, type StartAttempt } from "./attempt-run.ts";
import { allotGpus } from "./gpus.ts";
import type { IslandWork } from "./island.ts";

type Held = {
  readonly ref: AttemptRef;
  state: AttemptState;
  readonly gpus: readonly number[];
  /** Undefined if this process never ran the attempt. */
  readonly live?: LiveAttempt;
  /** The server needs no more reports about it. */
  forget: boolean;
  /** How often its upload has begun while calls got no response. */
  rounds: number;
  /** Whether the upload that goes on can be repeated, because it began while calls got no response. */
  repeats: boolean;
  /** The end that S3 holds, with all that the attempt left. */
  onS3?: AttemptState;
};

export type HeldAttemptsOptions = {
  readonly start: StartAttempt;
  readonly changed: () => void;
  readonly clock: Clock;
  /** Returns for how long the server has not responded. */
  readonly silentForMs: () => number;
  /** Reports whether the last call got no response. */
  readonly isUnanswered: () => boolean;
  readonly log: WorkerLog;
};

/** How long an upload waits for the server to record the attempt's end. After that it begins anyway, because S3 may still be reachable. */
const silenceMs = 30_000;
/** How long an upload that failed waits for its next try while calls get no response. */
const againMs = 5 * 60_000;
/** An upload must not begin with credentials that expire sooner. */
const minCredentialsMs = 60_000;

const maxRemembered = 10_000;
const fresh = { forget: false, rounds: 0, repeats: false };

/** The attempts that this node holds. Each runs here at most once, even if orders arrive late or twice. */
export class HeldAttempts {
  readonly #options: HeldAttemptsOptions;
  readonly #held = new Map<string, Held>();
  readonly #over = new Set<string>();
  readonly #removals = new Set<Promise<void>>();
  #leaving = Promise.resolve();

  constructor(options: HeldAttemptsOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  get work(): IslandWork {
    if (this.isRunning) return "runs";
    return this.#all().some((held) => held.live !== undefined && held.onS3 !== held.state) ? "keeps" : "none";
  }

  get isUploading(): boolean {
    return this.#all().some(({ state }) => isUploading(state));
  }

  /** Whether any attempt's program may still run here. */
  get isRunning(): boolean {
    return this.#all().some(({ state }) => holdsGpus(state));
  }

  reports(): readonly AttemptReport[] {
    return this.#all().flatMap(({ ref, state }) => reportOf(ref, state) ?? []);
  }

  /** Returns the attempts that still need credentials and whose credentials expire before that time. */
  endingBefore(wallMs: number): readonly AttemptRef[] {
    return this.#all()
      .filter(({ state, live }) => live !== undefined && needsCredentials(state) && live.credentialsExpireAtMs < wallMs)
      .map(({ ref }) => ref);
  }

  start(order: RunOrder): void {
    const ref = refOf(order);
    const key = keyOf(ref);
    const known = this.#held.get(key);
    if (known) {
      known.live?.renew(order.credentials);
    } else if (this.#over.has(key)) {
      this.note(ref, "this attempt has already ended on this node");
    } else {
      const busy = this.#all().filter(({ state }) => holdsGpus(state));
      const gpus = allotGpus(
        order.spec.gpus.count,
        busy.map((held) => held.gpus),
      );
      this.#options.log("info", "attempt starting", { attempt: key, gpus: gpus.join(",") });
      // `held` is assigned before the first event, because `start` emits events only in later turns of the event loop.
      const live = this.#options.start(order, gpus, (event) => this.#apply(held, event));
      const held: Held = { ref, state: { phase: "preparing" }, gpus, live, ...fresh };
      this.#held.set(key, held);
    }
  }

  /**
   * Follows an order to stop. `reported` is what the call that returned the order had reported about the attempt. If the attempt has ended
   * since that call, the order has no effect, because the next call reports the end and the server then decides on it.
   */
  stop(of: AttemptRef, because: string, reported: AttemptReport | undefined): void {
    const held = this.#held.get(keyOf(of));
    if (!held) this.note(refOf(of), because);
    else if (!hasEnded(held.state) || (reported !== undefined && reported.phase !== "running"))
      this.#apply(held, { kind: "stop", because });
  }

  /** Stops programs and what prepares them. Uploads go on. */
  stopPrograms(because: string): void {
    for (const held of this.#all()) if (holdsGpus(held.state)) this.#apply(held, { kind: "stop", because });
  }

  /** Starts all uploads that wait for the server. */
  uploadAll(): void {
    for (const held of this.#all()) this.#uploadNow(held);
  }

  /** Leaves the ends of all attempts whose programs are over, and what they left, on S3, unless it is there. One call waits for the other. */
  async leaveAll(how: LeaveHow): Promise<void> {
    this.#leaving = this.#leaving.then(async () => {
      await Promise.all(this.#all().map((held) => this.#leave(held, how)));
    });
    await this.#leaving;
  }

  /** Makes all uploads list what they have sent. */
  stopUploads(because: string): void {
    for (const held of this.#all()) if (isUploading(held.state)) this.#apply(held, { kind: "stop", because });
  }

  /** Makes the uploads of unsuccessful runs list what they have sent. Those of successful runs, which count only as a whole, go on. */
  cutPartialUploads(because: string): void {
    for (const held of this.#all()) if (isPartUseful(held.state)) this.#apply(held, { kind: "stop", because });
  }

  /** Notes that the server has accepted this report without a stop order or `done`. If it reported an end, that end is now recorded. */
  accepted(reported: AttemptReport): void {
    const held = this.#held.get(keyOf(reported));
    if (held?.state.phase === reported.phase) this.#apply(held, { kind: "may-upload" });
  }

  renew(of: AttemptRef, credentials: Credentials): void {
    this.#held.get(keyOf(of))?.live?.renew(credentials);
  }

  /** Holds an attempt that an earlier process of this worker ran to its end, until what it left is delivered. */
  restore({ ref, end, open }: KeptAttempt): void {
    const live = open((event) => this.#apply(held, event));
    const held: Held = { ref, state: end, gpus: [], live, ...fresh };
    this.#held.set(keyOf(ref), held);
  }

  /** Reports an attempt as stopped, because nothing of it runs on this node. */
  note(ref: AttemptRef, because: string): void {
    this.#held.set(keyOf(ref), { ref, state: { phase: "stopped", because, uploads: false }, gpus: [], ...fresh });
    this.#options.changed();
  }

  forget(of: AttemptRef): void {
    const held = this.#held.get(keyOf(of));
    if (held === undefined) return;
    held.forget = true;
    if (isActive(held.state)) this.#apply(held, { kind: "stop", because: "the server no longer knows this attempt" });
    else this.#drop(held);
  }

  /** Removes the files of all attempts, held or just forgotten, that have nothing left to upload, from this machine. */
  async removeAll(): Promise<void> {
    for (const held of this.#all()) if (!endToUpload(held.state)) this.#drop(held);
    await Promise.all(this.#removals);
  }

  #all(): Held[] {
    return [...this.#held.values()];
  }

  #apply(held: Held, happened: AttemptEvent): void {
    const event = isToRepeat(held, happened) ? ({ kind: "kept" } as const) : happened;
    const state = next(held.state, event);
    if (state === held.state) return;
    const before = held.state.phase;
    held.state = state;
    this.#options.log("info", "attempt changed state", {
      attempt: keyOf(held.ref),
      from: before,
      to: state.phase,
      because: event === happened ? reasonOf(state) : "its upload failed, and is repeated",
    });
    if (state.phase === "stopping" && before !== "stopping") held.live?.stop(graceMs);
    if (state.phase === "uploading") this.#beginUpload(held);
    if (endToUpload(state)) this.#uploadLater(held);
    if (held.forget && !isActive(state)) this.#drop(held);
    this.#options.changed();
  }

  #beginUpload(held: Held): void {
    held.repeats = this.#options.isUnanswered();
    if (held.repeats) held.rounds += 1;
    held.live?.upload({ whole: held.repeats });
  }

  /** Begins the upload, unless its credentials expire. Only the server can renew them, so it then begins after the server's next response. */
  #uploadNow(held: Held): void {
    const { clock, isUnanswered } = this.#options;
    const leftMs = (held.live?.credentialsExpireAtMs ?? 0) - clock.wallMs();
    if (leftMs > (isUnanswered() ? minCredentialsMs : 0)) this.#apply(held, { kind: "may-upload" });
  }

  #uploadLater(held: Held): void {
    const { clock, silentForMs } = this.#options;
    const upload = (): void => {
      if (this.#held.get(keyOf(held.ref)) === held) this.#uploadNow(held);
    };
    const waitMs = held.rounds > 0 ? againMs : silenceMs - silentForMs();
    if (waitMs > 0) clock.after(waitMs, upload);
    else upload();
  }

  async #leave(held: Held, how: LeaveHow): Promise<void> {
    const { ref, state, live, onS3 } = held;
    const report = reportOf(ref, state);
    // An upload that goes on may be all that is needed.
    if (!report || !live || !hasEnded(state) || onS3 === state || (how.whole && isUploading(state))) return;
    if (await live.leave(report, how)) held.onS3 = state;
  }

  #drop(held: Held): void {
    const key = keyOf(held.ref);
    this.#held.delete(key);
    this.#over.add(key);
    for (const oldest of this.#over) {
      if (this.#over.size <= maxRemembered) break;
      this.#over.delete(oldest);
    }
    const removal = this.#remove(held).finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  async #remove(held: Held): Promise<void> {
    try {
      await held.live?.remove();
    } catch (error) {
      this.#options.log("warn", "attempt folder not removed", { attempt: keyOf(held.ref) }, error);
    }
  }
}

/** Reports whether an upload has failed or was stopped while calls get no response, which must not cost a result. */
const isToRepeat = ({ repeats, state }: Held, { kind }: AttemptEvent): boolean =>
  repeats && isUploading(state) && (kind === "failed" || (kind === "uploaded" && state.phase === "stopping"));

const refOf = ({ team, job, attempt }: AttemptRef): AttemptRef => ({ team, job, attempt });

/** Returns the reason for a state in one line. Further lines may quote the job's output, which belongs in the job's own log only. */
function reasonOf(state: AttemptState): string | undefined {
  if (state.phase === "stopping" || state.phase === "stopped") return state.because;
  return (state.phase === "failed" || state.phase === "exited") && state.reason !== undefined ? state.reason.split("\n")[0] : undefined;
}
